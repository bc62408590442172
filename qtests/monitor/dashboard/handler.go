package dashboard

import (
	"bytes"
	"encoding/json"
	"net/http"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/go-qtests/qtests/qtests/monitor"
)

// Handler serves a monitor live:
//
//	/                the page: figures, charts, the panels of the monitor, the rules with their
//	                 current values, and why scrapes fail; it loads itself again every interval
//	/?query=…        the page with a chart and the current values of any expression, as its
//	                 query box asks for it
//	/dashboard.json  the Dashboard as JSON
//	/dashboard.txt   and as text
//	/metrics         what the monitor scrapes, freshly gathered, for a real Prometheus
//
// The page needs no other file and no network. A scrape of /metrics waits for the
// monitor's own and adds nothing to its history. Where one gatherer fails,
// the metrics of the others are served. Only GET and HEAD are answered.
func Handler(m *monitor.Monitor) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) { servePage(m, w, r.FormValue("query")) })
	mux.HandleFunc("GET /dashboard.json", func(w http.ResponseWriter, _ *http.Request) {
		data, err := json.MarshalIndent(Of(m), "", "  ")
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		write(w, "application/json", append(data, '\n'))
	})
	mux.HandleFunc("GET /dashboard.txt", func(w http.ResponseWriter, _ *http.Request) {
		write(w, "text/plain; charset=utf-8", []byte(Of(m).String()))
	})
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, r *http.Request) { serveMetrics(m, w, r) })
	return mux
}

func write(w http.ResponseWriter, contentType string, data []byte) {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(data) // a reader that has gone is no error of ours
}

func servePage(m *monitor.Monitor, w http.ResponseWriter, query string) {
	var b bytes.Buffer
	if err := page(m, query).Write(&b); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	write(w, "text/html; charset=utf-8", b.Bytes())
}

func serveMetrics(m *monitor.Monitor, w http.ResponseWriter, r *http.Request) {
	all, err := m.Gather(r.Context())
	if err != nil {
		return // the client has gone
	}
	promhttp.HandlerFor(all, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError}).ServeHTTP(w, r)
}
