package degrade

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/go-qtests/qtests/qtests/internal/guard"
	"github.com/go-qtests/qtests/qtests/internal/text"
)

// A MeterConfig describes a Meter.
type MeterConfig struct {
	Name string // the label of the metrics; default "meter"
	// NoHeader leaves the header Degraded away.
	NoHeader bool
}

// A Meter counts answers by how good they are. All methods are safe for concurrent use. It is a prometheus.Collector.
type Meter struct {
	cfg   MeterConfig
	state guard.Value[Counts]
}

// Counts say how good answers were. Offered = Full + Degraded + Refused + Failed + InFlight, always.
type Counts struct {
	Offered, Full, Degraded, Refused, Failed, InFlight uint64
	// By is in what answers were degraded, by name, at most MaxNames of them. One answer may count under several.
	By map[string]uint64
}

// MaxNames is how many names a Meter counts; the others are "other".
const MaxNames = 100

// NewMeter returns a Meter.
func NewMeter(cfg MeterConfig) *Meter {
	cfg.Name = cmp.Or(cfg.Name, "meter")
	m := &Meter{cfg: cfg}
	m.state.Do(func(c *Counts) { c.By = map[string]uint64{} })
	return m
}

// Handler counts what next answers.
func (m *Meter) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		m.state.Do(func(c *Counts) { c.Offered++; c.InFlight++ })
		ctx := context.WithValue(r.Context(), marksKey{}, &marks{})
		seen := &gradedWriter{ResponseWriter: w, ctx: ctx, header: !m.cfg.NoHeader}
		grade := Failed
		defer func() { m.count(grade, Marks(ctx)) }()
		next.ServeHTTP(seen, r.WithContext(ctx))
		seen.announce()
		grade = gradeOf(seen.status, Marks(ctx))
	})
}

func gradeOf(status int, marked []string) Grade {
	switch {
	case status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable:
		return Refused
	case status >= 500:
		return Failed
	case len(marked) > 0:
		return Degraded
	}
	return Full
}

func (m *Meter) count(g Grade, marked []string) {
	m.state.Do(func(c *Counts) {
		c.InFlight--
		switch g {
		case Full:
			c.Full++
		case Degraded:
			c.Degraded++
		case Refused:
			c.Refused++
		default:
			c.Failed++
		}
		for _, name := range marked {
			if _, known := c.By[name]; !known && len(c.By) >= MaxNames {
				name = "other"
			}
			c.By[name]++
		}
	})
}

// gradedWriter sees the status, and writes the header Degraded before it.
type gradedWriter struct {
	http.ResponseWriter
	ctx    context.Context
	header bool
	status int
}

// announce is called before the header is sent, and at the end.
func (w *gradedWriter) announce() {
	if w.status != 0 {
		return
	}
	w.status = http.StatusOK
	if marked := Marks(w.ctx); w.header && len(marked) > 0 {
		w.ResponseWriter.Header().Set("Degraded", strings.Join(marked, ", "))
	}
}

func (w *gradedWriter) WriteHeader(status int) {
	if w.status == 0 && (status >= 200 || status == http.StatusSwitchingProtocols) {
		w.announce()
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *gradedWriter) Write(p []byte) (int, error) {
	w.announce()
	return w.ResponseWriter.Write(p)
}

// Unwrap is for http.ResponseController.
func (w *gradedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// Flush implements http.Flusher.
func (w *gradedWriter) Flush() {
	w.announce()
	_ = http.NewResponseController(w.ResponseWriter).Flush()
}

// Counts returns how good the answers were so far.
func (m *Meter) Counts() (c Counts) {
	m.state.Do(func(now *Counts) {
		c = *now
		c.By = maps.Clone(now.By)
	})
	return c
}

// String is a table of the grades, and of what was degraded.
func (c Counts) String() string {
	var b strings.Builder
	text.Table(&b, c.rows())
	return b.String()
}

// rows are the head of the table and its rows.
func (c Counts) rows() [][]string {
	share := func(n uint64) string {
		if c.Offered == 0 {
			return "0%"
		}
		return fmt.Sprintf("%.4g%%", 100*float64(n)/float64(c.Offered))
	}
	rows := [][]string{{"grade", "answers", "share"}}
	add := func(name string, n uint64) {
		rows = append(rows, []string{name, text.Grouped(int64(n)), share(n)})
	}
	add("full", c.Full)
	add("degraded", c.Degraded)
	for _, name := range text.SortedKeys(c.By) {
		add("  "+text.OneLine(name), c.By[name])
	}
	add("refused", c.Refused)
	add("failed", c.Failed)
	return rows
}

var _ prometheus.Collector = (*Meter)(nil)

func (m *Meter) descs() (answers, by *prometheus.Desc) {
	label := prometheus.Labels{"meter": m.cfg.Name}
	return prometheus.NewDesc("degrade_answers_total", "Answers by how good they were.", []string{"grade"}, label),
		prometheus.NewDesc("degrade_degraded_total", "Degraded answers by what was degraded.", []string{"name"}, label)
}

// Describe implements prometheus.Collector.
func (m *Meter) Describe(ch chan<- *prometheus.Desc) {
	answers, by := m.descs()
	ch <- answers
	ch <- by
}

// Collect implements prometheus.Collector, with degrade_answers_total{grade} and degrade_degraded_total{name}, both with the label meter.
func (m *Meter) Collect(ch chan<- prometheus.Metric) {
	answers, by := m.descs()
	c := m.Counts()
	for grade, n := range []uint64{c.Full, c.Degraded, c.Refused, c.Failed} {
		ch <- prometheus.MustNewConstMetric(answers, prometheus.CounterValue, float64(n), Grade(grade).String())
	}
	for _, name := range slices.Sorted(maps.Keys(c.By)) {
		ch <- prometheus.MustNewConstMetric(by, prometheus.CounterValue, float64(c.By[name]), strings.ToValidUTF8(name, "?"))
	}
}
