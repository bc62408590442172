package dashboard_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/monitor"
	"github.com/go-qtests/qtests/qtests/monitor/dashboard"
)

// A drawn page is what its script is given.
type drawn struct {
	Span   float64
	Charts []struct {
		Title, Note string
		Series      []struct {
			Name   string
			Width  float64
			Color  int
			Values []*float64
		}
		Lanes []lane
	}
	Marks []struct{ Kind, Who, Text string }
}

type lane struct {
	Name  string
	Spans []phase
}

type phase struct {
	From, To    float64
	State, Tone string
}

func (d drawn) titles() (out []string) {
	for _, c := range d.Charts {
		out = append(out, c.Title)
	}
	return out
}

// ask loads the page, with something in the query box unless that is empty.
func ask(t require.TestingT, m *monitor.Monitor, query string) (page string, d drawn) {
	path := "/"
	if query != "" {
		path += "?query=" + url.QueryEscape(query)
	}
	w := httptest.NewRecorder()
	dashboard.Handler(m).ServeHTTP(w, httptest.NewRequest("GET", path, nil))
	require.Equal(t, 200, w.Code)
	data, err := io.ReadAll(w.Body)
	require.NoError(t, err)
	found := regexp.MustCompile(`(?s)id="data">(.*?)</script>`).FindSubmatch(data)
	require.NotNil(t, found)
	require.NoError(t, json.Unmarshal(found[1], &d))
	return string(data), d
}

func TestPanelsRulesAndTargets(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		v := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "queue_length", Help: "h"}, []string{"queue", "zone"})
		down := prometheus.GathererFunc(func() ([]*dto.MetricFamily, error) { return nil, errors.New("no <route> to host") })
		m := monitor.NewT(q, monitor.Config{
			Collectors: []prometheus.Collector{v},
			Targets:    []monitor.Target{{Job: "shop", Instance: "shop-1", Gatherer: down}},
			Panels:     []string{"queue_length", "queue_length - 10", "sum by (none) (queue_length) / 0", "label_replace(queue_length, 'queue', 'x', '', '')"},
			Rules: []monitor.Rule{
				{Name: "Long", Expr: "queue_length > 5"},
				{Name: "Waits", Expr: "sum(queue_length) > 5", For: time.Hour},
				{Name: "Never", Expr: "nothing > 5"},
				{Record: "total", Expr: "sum(queue_length)"},
				{Name: "Broken", Expr: "label_replace(queue_length, 'queue', 'x', '', '') > 1"},
			},
		})
		v.WithLabelValues("a", "x").Set(3)
		v.WithLabelValues("b", "x").Set(7.5)
		q.Sleep(time.Minute + time.Second)
		page, d := ask(q, m, "")
		require.Equal(q, []string{"queue_length", "queue_length - 10", "sum by (none) (queue_length) / 0", "label_replace(queue_length, 'queue', 'x', '', '')", "Breakers and alerts"}, d.titles())
		require.Equal(q, `queue_length{queue="b",zone="x"}`, d.Charts[0].Series[1].Name)
		require.EqualValues(q, 7.5, *d.Charts[0].Series[1].Values[5])
		require.EqualValues(q, -2.5, *d.Charts[1].Series[1].Values[5])
		require.Nil(q, d.Charts[2].Series[0].Values[5], "infinity is a gap")
		require.Contains(q, d.Charts[3].Note, "same labelset")
		for _, want := range []string{
			`<td>Long</td><td><span class="tone bad">firing</span></td><td>queue_length &gt; 5</td><td>{queue=&#34;a&#34;,zone=&#34;x&#34;} 3; {queue=&#34;b&#34;,zone=&#34;x&#34;} 7.5</td>`,
			`<td>Waits</td><td><span class="tone warn">pending</span></td><td>sum(queue_length) &gt; 5</td><td class="n">10.5</td>`,
			`<td>Never</td><td>inactive</td><td>nothing &gt; 5</td><td>no series</td>`,
			`<td>total</td><td></td><td>sum(queue_length)</td><td class="n">10.5</td>`,
			`<td>Broken</td><td>inactive</td>`,
			`<td>target shop shop-1</td><td><span class="tone bad">monitor: target shop shop-1: no &lt;route&gt; to host</span></td>`,
		} {
			require.Contains(q, page, want)
		}
	})
}

func TestQueryBox(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		m := outage(q)
		page, d := ask(q, m, `rate(load_requests_total[1m]) > 0`)
		require.Equal(q, `rate(load_requests_total[1m]) > 0`, d.Charts[0].Title)
		require.Len(q, d.Charts[0].Series, 2)
		require.Contains(q, page, `value="rate(load_requests_total[1m]) &gt; 0"`)
		require.Contains(q, page, `<td>{result=&#34;error&#34;,scenario=&#34;shop&#34;,step=&#34;pay&#34;}</td><td class="n">10</td>`)
		require.Contains(q, page, `<option value="pool_waiters">`)
		page, d = ask(q, m, `rate(load_requests_total)<`)
		require.Contains(q, page, `role="alert"`)
		require.NotContains(q, d.titles(), `rate(load_requests_total)<`)
		page, _ = ask(q, m, `nothing`)
		require.Contains(q, page, "no series")
		if dir := os.Getenv("QTESTS_PAGE_DIR"); dir != "" {
			page, _ := ask(q, m, `rate(load_requests_total[1m])`)
			require.NoError(q, os.WriteFile(filepath.Join(dir, "query.html"), []byte(page), 0o644))
		}
	})
}
