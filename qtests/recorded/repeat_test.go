package recorded_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/event"
	"github.com/go-qtests/qtests/qtests/latency"
	"github.com/go-qtests/qtests/qtests/load"
	"github.com/go-qtests/qtests/qtests/load/accesslog"
	"github.com/go-qtests/qtests/qtests/load/traffic"
	"github.com/go-qtests/qtests/qtests/pool/fakehttp"
	"github.com/go-qtests/qtests/qtests/recorded"
	"github.com/go-qtests/qtests/qtests/wire"
)

// TestRepeats replays an archive against a service that calls what a cassette recorded, over a link with every kind of
// fault: 20 runs on the ordered runtime have one outcome. Each of its lines has its instant. Elsewhere it runs once.
func TestRepeats(t *testing.T) {
	first, ordered := replay(t)
	least := 100
	if testing.Short() {
		least = 40 // -short leaves a tenth of the requests
	}
	require.Greater(t, len(first), least)
	for run := 2; ordered && run <= 20; run++ {
		again, _ := replay(t)
		require.Equal(t, first, again, "run %d", run)
	}
}

// replay returns what happened, line by line.
func replay(t *testing.T) (lines []string, ordered bool) {
	t.Helper()
	var mu sync.Mutex
	note := func(what ...any) {
		mu.Lock()
		defer mu.Unlock()
		lines = append(lines, fmt.Sprint(what...))
	}
	qtests.Run(t, func(q *qtests.T) {
		ordered = q.Order().Runtime
		api := fakehttp.NewT(q, fakehttp.Config{Name: "api", Latency: latency.LogNormal(10*time.Millisecond, 50*time.Millisecond)})
		read(q, version1).Stub(api)
		server := q.Serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			resp, err := api.Client().Get("https://api.example.com/items?page=1")
			if err != nil {
				http.Error(w, err.Error(), http.StatusBadGateway)
				return
			}
			defer func() { _ = resp.Body.Close() }()
			_, _ = io.Copy(w, resp.Body)
		}))
		link := wire.NewT(q, "shop")
		client := link.Client(server)
		res := load.Run(q, load.Scenario{
			Name: "replay", Traffic: traffic.Replay(entries(t)), Timeout: time.Second,
			Do: func(ctx context.Context, _ *load.User) error {
				req, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL, nil)
				if err != nil {
					return err
				}
				resp, err := client.Do(req)
				note(q.Elapsed(), err)
				if err != nil {
					return err
				}
				return resp.Body.Close()
			},
			Events: []event.Event{
				link.Latency(wire.Both, latency.Uniform(time.Millisecond, 40*time.Millisecond)), link.Bandwidth(wire.Down, 100_000),
				link.Loss(wire.Up, 0.05), link.Slice(wire.Down, 20, 10, time.Millisecond), link.SlowClose(wire.Up, 10*time.Millisecond),
				link.Partition().At(20 * time.Second).For(3 * time.Second), link.HalfOpen().At(30 * time.Second).For(3 * time.Second),
				link.Refuse().At(40 * time.Second).For(3 * time.Second), link.Timeout(time.Second).At(50 * time.Second).For(3 * time.Second),
				link.Reset().At(57 * time.Second), link.LimitData(wire.Down, 500).At(60 * time.Second).For(3 * time.Second),
			},
		})
		lines = append(lines, strings.Split(res.String(), "\n")...)
	})
	return lines, ordered
}

// entries are those of an archive with a request every 700 ms or so.
func entries(t *testing.T) []accesslog.Entry {
	t.Helper()
	var all []string
	for i := range 100 {
		at := time.Date(2024, 5, 1, 10, 0, 0, 0, time.UTC).Add(time.Duration(i*700+i%7*90) * time.Millisecond)
		all = append(all, fmt.Sprintf(`{"startedDateTime":%q,"time":5,"request":{"method":"GET","url":"https://shop.example.com/%d"},"response":{"status":200}}`,
			at.Format(time.RFC3339Nano), i))
	}
	r, err := recorded.Read("made.har", strings.NewReader(`{"log":{"version":"1.2","entries":[`+strings.Join(all, ",")+`]}}`))
	require.NoError(t, err)
	return r.Entries()
}
