package monitor_test

import (
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/monitor"
	"github.com/go-qtests/qtests/qtests/monitor/rules"
	"github.com/go-qtests/qtests/qtests/tbtest"
)

// Names of metrics and labels are any UTF-8, as in Prometheus 3: they are scraped, asked
// for in quotes, recorded, and written so that they can be read again.
func TestNamesAreUTF8(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		f := family("http.server.request.duration", 3, 7)
		label, value := "http.route", "/größe"
		for _, m := range f.Metric {
			m.Label = append(m.Label, &dto.LabelPair{Name: &label, Value: &value})
		}
		read, err := rules.Parse("utf8.yaml", strings.NewReader(`
groups:
- name: g
  rules:
  - record: größe.summe
    expr: sum by ("http.route") ({"http.server.request.duration"})
    labels: {"team.name": pay}
  - alert: Slow
    expr: '{"größe.summe", "team.name"="pay", "http.route"=~"/.*"} > 9'
    labels: {"my.severity": page}
    annotations: {"my.text": '{{ index $labels "http.route" }} has {{ $value }}'}
`))
		require.NoError(q, err)
		m := monitor.NewT(q, monitor.Config{Gatherers: []prometheus.Gatherer{fixed(f)}, Rules: read})
		q.Sleep(15 * time.Second)
		m.RequireFired(q, "Slow")
		a := m.Alerts()[0]
		require.Equal(q, monitor.Labels{"alertname": "Slow", "http.route": "/größe", "my.severity": "page", "team.name": "pay"}, a.Labels)
		require.Equal(q, "/größe has 10", a.Annotations["my.text"])
		require.Equal(q, `{alertname="Slow","http.route"="/größe","my.severity"="page","team.name"="pay"}`, a.Labels.String())
		s := m.RequireSeries(q, "http.server.request.duration")[0]
		require.Equal(q, `{"http.server.request.duration","http.route"="/größe",i="0"}`, s.String())
		points, err := m.Query(s.String(), time.Time{})
		require.NoError(q, err)
		require.Len(q, points, 1, "what a series is called can be asked for")
		rec := tbtest.Run("assertion", func(tb *tbtest.TB) {
			m.RequireSeries(tb, "http.server.request.duration", monitor.Equal("http.route", "/"))
		})
		require.Contains(q, rec.Errors(), `no series {"http.server.request.duration","http.route"="/"} in 1 scrapes`)
	})
}

func TestNamesThatAreNotUTF8(t *testing.T) {
	for expr, want := range map[string]string{
		`{"a", "b"}`:          `the metric's name is given twice, the second time as "b"`,
		`a{"b"}`:              "the metric's name is given twice",
		`{"\xff"}`:            "want the name of a label",
		`{""}`:                "want the name of a label",
		`sum by ("\xff") (a)`: "want the name of a label",
		`{a "b"}`:             "the matcher of a: want a string",
	} {
		_, err := monitor.New(monitor.Config{Rules: []monitor.Rule{{Name: "A", Expr: expr}}})
		require.ErrorContains(t, err, want, expr)
	}
}
