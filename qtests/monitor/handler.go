package monitor

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	dto "github.com/prometheus/client_model/go"
)

// Handler serves the monitor live:
//
//	/                the page: figures and charts, which loads itself again every interval
//	/dashboard.json  the Dashboard as JSON
//	/dashboard.txt   and as text
//	/metrics         what the monitor scrapes, freshly gathered, for a real Prometheus
//
// The page needs no other file and no network. A scrape of /metrics waits for the
// monitor's own and adds nothing to its history. Where one gatherer fails,
// the metrics of the others are served. Only GET and HEAD are answered.
func (m *Monitor) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", m.servePage)
	mux.HandleFunc("GET /dashboard.json", func(w http.ResponseWriter, _ *http.Request) {
		data, err := json.MarshalIndent(m.Dashboard(), "", "  ")
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		write(w, "application/json", append(data, '\n'))
	})
	mux.HandleFunc("GET /dashboard.txt", func(w http.ResponseWriter, _ *http.Request) {
		write(w, "text/plain; charset=utf-8", []byte(m.Dashboard().String()))
	})
	mux.HandleFunc("GET /metrics", m.serveMetrics)
	return mux
}

func write(w http.ResponseWriter, contentType string, data []byte) {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(data) // a reader that has gone is no error of ours
}

func (m *Monitor) servePage(w http.ResponseWriter, _ *http.Request) {
	var b bytes.Buffer
	if err := m.page().Write(&b); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Refresh", fmt.Sprintf("%d", max(1, int(m.cfg.Interval.Seconds()))))
	write(w, "text/html; charset=utf-8", b.Bytes())
}

func (m *Monitor) serveMetrics(w http.ResponseWriter, r *http.Request) {
	select {
	case m.scraping <- struct{}{}:
		defer func() { <-m.scraping }()
	case <-r.Context().Done():
		return
	}
	var all prometheus.Gatherers
	for _, s := range m.sources {
		g := m.gather(r.Context(), s)
		if errors.Is(g.err, ErrClosed) {
			return // the client has gone
		}
		all = append(all, prometheus.GathererFunc(func() ([]*dto.MetricFamily, error) { return g.families, g.err }))
	}
	promhttp.HandlerFor(all, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError}).ServeHTTP(w, r)
}
