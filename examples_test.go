package qtests_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/DATA-DOG/go-sqlmock"
	"github.com/jarcoal/httpmock"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/fixtures"
	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/breaker"
	"github.com/go-qtests/qtests/qtests/breaker/metrics"
	"github.com/go-qtests/qtests/qtests/event"
	"github.com/go-qtests/qtests/qtests/latency"
	"github.com/go-qtests/qtests/qtests/load"
	"github.com/go-qtests/qtests/qtests/load/accesslog"
	"github.com/go-qtests/qtests/qtests/load/result"
	"github.com/go-qtests/qtests/qtests/load/traffic"
	"github.com/go-qtests/qtests/qtests/monitor"
	"github.com/go-qtests/qtests/qtests/pool/fakehttp"
	"github.com/go-qtests/qtests/qtests/pool/fakesql"
)

func TestMain(m *testing.M) { qtests.VerifyTestMain(m) }

// TestQuickstart is the main job: four days of recorded traffic through a small
// but real service, with an outage of what it depends on over the busiest minute.
func TestQuickstart(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) { quickstart(q) })
}

func quickstart(q *qtests.T) *result.Result {
	log, err := accesslog.Read("access.log", fixtures.AccessLog()) // one minute of every hour
	require.NoError(q, err)
	q.Log(log)
	days := traffic.Replay(log.Entries)
	busiest := days.Offset(time.Date(2015, time.May, 19, 19, 5, 0, 0, time.UTC))

	db := fakesql.NewT(q, fakesql.Config{Name: "db", Max: 4, Latency: latency.LogNormal(3*time.Millisecond, 20*time.Millisecond)})
	db.On(`SELECT prefix, title FROM sections`).Rows(fixtures.Rows(q, "sections.csv"))
	db.On(`INSERT INTO visits (path) VALUES (?)`).Result(sqlmock.NewResult(1, 1))
	api := fakehttp.NewT(q, fakehttp.Config{Name: "api", Max: 4, Latency: latency.LogNormal(40*time.Millisecond, 200*time.Millisecond)})
	api.On("GET", "/related", httpmock.NewBytesResponder(200, fixtures.Bytes(q, "related.json")))
	br := breaker.NewT(q, breaker.Config{Name: "related", FailureThreshold: 5, ResetTimeout: 30 * time.Second})
	mon := monitor.NewT(q, monitor.Config{
		Collectors: []prometheus.Collector{db, api, metrics.Of(br)}, // scraped every 10 s
		Rules:      []monitor.Rule{{Name: "RelatedDown", Expr: `breaker_state{state="closed"} == 0`, For: time.Minute}},
	})
	server := q.Serve(&site{db: db.DB(), api: api.Client(), related: br}) // the code under test

	res := load.Run(q, load.Scenario{
		Name: "four-days", Traffic: days, Route: kindOfPage, Timeout: 2 * time.Second, Monitor: mon,
		Do:         func(ctx context.Context, u *load.User) error { return visit(ctx, server, u.Entry()) },
		Events:     []event.Event{api.Outage().At(busiest - 10*time.Minute).For(20 * time.Minute)},
		Thresholds: []string{"p(99)<500ms", "errors<0.1%", "dropped==0"},
	})

	br.RequireTransitionsInclude(q, breaker.Open, breaker.HalfOpen, breaker.Closed)
	mon.RequireFired(q, "RelatedDown")
	mon.RequireResolvedWithin(q, "RelatedDown", time.Hour)
	fmt.Fprintf(q.Output(), "real: %v of traffic in %v on %d cores; the report is %s\n", res.Elapsed.Round(time.Minute),
		q.RealElapsed().Round(10*time.Millisecond), runtime.NumCPU(), res.SaveHTML(q))
	return res
}

// TestRepeatQuickstart compares whole runs, byte for byte.
func TestRepeatQuickstart(t *testing.T) {
	judgesText(t)
	runs := 2
	if n, err := strconv.Atoi(os.Getenv("QTESTS_STRESS")); err == nil {
		runs = min(max(runs, n), 50)
	}
	var first [3]string
	for i := range runs {
		var now [3]string
		qtests.Run(t, func(q *qtests.T) {
			res := quickstart(q)
			var text, page strings.Builder
			require.NoError(q, res.WriteJSON(&text))
			require.NoError(q, res.WriteHTML(&page))
			now = [3]string{res.String(), text.String(), page.String()}
		})
		if i == 0 {
			first = now
		}
		require.Equal(t, first, now, "run %d", i+1)
	}
	t.Logf("%d runs: 1 summary, 1 JSON, 1 report", runs)
}

// site is the service under test. It knows nothing of qtests.
type site struct {
	db      *sql.DB
	api     *http.Client
	related *breaker.Breaker
}

// ServeHTTP counts the visit, and answers a file from memory, and a page with the site's sections,
// which are in the database, and with related pages, which another service knows.
// While that service is given up on, pages come without them.
func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if _, err := s.db.ExecContext(r.Context(), `INSERT INTO visits (path) VALUES (?)`, r.URL.Path); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	if kind := path.Ext(r.URL.Path); kind != "" && kind != ".html" {
		w.Header().Set("Content-Type", "application/octet-stream")
		_, _ = io.WriteString(w, "the file "+r.URL.Path)
		return
	}
	titles, err := s.sections(r.Context())
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	title, known := titles["/"+strings.SplitN(r.URL.Path, "/", 3)[1]]
	if !known {
		http.NotFound(w, r)
		return
	}
	related, err := breaker.Call(r.Context(), s.related, s.relatedPages)
	if err != nil && !errors.Is(err, breaker.ErrOpen) {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	fmt.Fprintf(w, "<h1>%s</h1>", title)
	for _, page := range related {
		fmt.Fprintf(w, "<a href=%q>", page)
	}
}

func (s *site) sections(ctx context.Context) (titles map[string]string, err error) {
	rows, err := s.db.QueryContext(ctx, `SELECT prefix, title FROM sections`)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	titles = map[string]string{}
	for rows.Next() {
		var prefix, title string
		if err := rows.Scan(&prefix, &title); err != nil {
			return nil, err
		}
		titles[prefix] = title
	}
	return titles, rows.Err()
}

func (s *site) relatedPages(ctx context.Context) ([]string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://api.internal/related", nil)
	if err != nil {
		return nil, err
	}
	resp, err := s.api.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	var answer struct{ Related []string }
	err = json.NewDecoder(resp.Body).Decode(&answer)
	return answer.Related, err
}

// visit repeats one recorded request.
func visit(ctx context.Context, server *qtests.Server, e accesslog.Entry) error {
	req, err := http.NewRequestWithContext(ctx, e.Method, server.URL+e.Path, nil)
	if err != nil {
		return err
	}
	resp, err := server.Client().Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return err
	}
	if resp.StatusCode >= 500 {
		return fmt.Errorf("status %d", resp.StatusCode)
	}
	return nil
}

func kindOfPage(e accesslog.Entry) string {
	if kind := path.Ext(e.Path); kind != "" && kind != ".html" {
		return "file"
	}
	return "page"
}
