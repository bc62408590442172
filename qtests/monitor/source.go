package monitor

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/model"

	"github.com/go-qtests/qtests/qtests/monitor/internal/history"
	"github.com/go-qtests/qtests/qtests/monitor/internal/native"
)

// A source is one gatherer with what is remembered from scrape to scrape. The
// holder of the scraping token owns it.
type source struct {
	guard
	gatherer prometheus.Gatherer
	slots    []slot
	report   scrapeReport
	target   *Target        // nil of a plain gatherer
	labels   history.Labels // of the target
	down     int            // events that have taken it down
	failed   error          // of the last scrape; the monitor's lock guards it
	native   bool           // Config.NativeHistograms
}

func newSource(name string, g prometheus.Gatherer) *source {
	return &source{guard: newGuard(name), gatherer: g}
}

// A slot remembers the series of the metric that the last scrape brought at this
// position. Gatherers sort what they return. So the next scrape nearly always brings the
// same metric there, and nothing needs to be hashed or built.
type slot struct {
	family string
	labels []string // name, value, name, value, …
	bounds []float64
	series []*history.Series
	native bool // the last of them is a native histogram
}

// fits reports whether the slot belongs to the metric.
func (s *slot) fits(family string, m *dto.Metric, withNative bool) bool {
	if s.family != family || len(s.labels) != 2*len(m.Label) {
		return false
	}
	for i, l := range m.Label {
		if s.labels[2*i] != l.GetName() || s.labels[2*i+1] != l.GetValue() {
			return false
		}
	}
	if len(s.series) != seriesOf(m, withNative) || len(s.bounds) != bounds(m) {
		return false
	}
	for i, b := range m.GetHistogram().GetBucket() {
		if s.bounds[i] != b.GetUpperBound() {
			return false
		}
	}
	for i, q := range m.GetSummary().GetQuantile() {
		if s.bounds[i] != q.GetQuantile() {
			return false
		}
	}
	for _, x := range s.series {
		if x.Removed() {
			return false
		}
	}
	return true
}

// bounds counts the buckets or quantiles of a metric.
func bounds(m *dto.Metric) int {
	return len(m.GetHistogram().GetBucket()) + len(m.GetSummary().GetQuantile())
}

// seriesOf counts the series that a metric is, with a native histogram or without.
func seriesOf(m *dto.Metric, withNative bool) int {
	switch {
	case m.Histogram != nil:
		n := len(m.Histogram.Bucket) + 2
		if !hasInfinite(m.Histogram) {
			n++
		}
		if withNative && native.Is(m.Histogram) {
			n++
		}
		return n
	case m.Summary != nil:
		return len(m.Summary.Quantile) + 2
	}
	return 1
}

// hasInfinite reports whether the +Inf bucket, which may be left out, is there.
func hasInfinite(h *dto.Histogram) bool {
	n := len(h.Bucket)
	return n > 0 && math.IsInf(h.Bucket[n-1].GetUpperBound(), 1)
}

// gathered is what one source brought to one scrape.
type gathered struct {
	source   *source
	families []*dto.MetricFamily
	err      error
	took     time.Duration
	samples  int // that were read
}

// maxErrors is how many wrong samples of one scrape its error names.
const maxErrors = 3

// ingest writes what a source brought into the row that has begun: all of it, or
// nothing when the limit of series is exceeded. Single samples that are wrong
// are left out and reported.
func (g gathered) ingest(st *history.Store, maxSeries int) error {
	if n, largest, count := size(g.families, g.source.native); n > maxSeries {
		return fmt.Errorf("%w: %s brings %d, the limit is %d; %s alone has %d", ErrTooManySeries, g.source.name, n, maxSeries, largest, count)
	}
	src := g.source
	var errs []error
	n := 0
	for _, f := range g.families {
		for _, m := range f.Metric {
			if n == len(src.slots) {
				src.slots = append(src.slots, slot{})
			}
			if s := &src.slots[n]; !s.fits(f.GetName(), m, src.native) {
				if err := s.fill(st, src, f, m); errors.Is(err, ErrTooManySeries) {
					src.slots = nil
					st.Prune()
					return fmt.Errorf("%s: %w", src.name, err)
				} else if err != nil && len(errs) < maxErrors {
					errs = append(errs, fmt.Errorf("%s: %w", src.name, err))
				}
			}
			n++
		}
	}
	src.slots = src.slots[:n]
	n = 0
	for _, f := range g.families {
		for _, m := range f.Metric {
			if err := src.slots[n].write(st, m); err != nil && len(errs) < maxErrors {
				errs = append(errs, fmt.Errorf("%s: %w", src.name, err))
			}
			n++
		}
	}
	return errors.Join(errs...)
}

// size counts the series of the families, and those of the largest.
func size(families []*dto.MetricFamily, withNative bool) (n int, largest string, count int) {
	for _, f := range families {
		k := 0
		for _, m := range f.Metric {
			k += seriesOf(m, withNative)
		}
		if n += k; k > count {
			largest, count = f.GetName(), k
		}
	}
	return n, largest, count
}

// fill makes the slot belong to the metric.
func (s *slot) fill(st *history.Store, src *source, f *dto.MetricFamily, m *dto.Metric) error {
	*s = slot{}
	if err := validate(f, m); err != nil {
		return err
	}
	labels := make([]string, 0, 2*len(m.Label))
	for _, l := range m.Label {
		labels = append(labels, l.GetName(), l.GetValue())
	}
	base := src.attach(m.Label)
	name := f.GetName()
	add := func(suffix, label, value string) error {
		ls := append(history.Labels{{Name: history.NameLabel, Value: name + suffix}, {Name: label, Value: value}}, base...)
		series, err := st.Series(history.NewLabels(ls...))
		if err != nil {
			return err
		}
		s.series = append(s.series, series)
		return nil
	}
	var err error
	switch {
	case m.Histogram != nil:
		for _, b := range m.Histogram.Bucket {
			s.bounds = append(s.bounds, b.GetUpperBound())
			err = errors.Join(err, add("_bucket", "le", formatBound(b.GetUpperBound())))
		}
		err = errors.Join(err, add("_sum", "", ""), add("_count", "", ""))
		if !hasInfinite(m.Histogram) {
			err = errors.Join(err, add("_bucket", "le", "+Inf"))
		}
		if src.native && native.Is(m.Histogram) {
			s.native = true
			err = errors.Join(err, add("", "", ""))
		}
	case m.Summary != nil:
		for _, q := range m.Summary.Quantile {
			s.bounds = append(s.bounds, q.GetQuantile())
			err = errors.Join(err, add("", "quantile", formatBound(q.GetQuantile())))
		}
		err = errors.Join(err, add("_sum", "", ""), add("_count", "", ""))
	default:
		err = add("", "", "")
	}
	var limit *history.LimitError
	if errors.As(err, &limit) {
		return fmt.Errorf("%w: the limit is %d; %s alone has %d", ErrTooManySeries, limit.Limit, limit.Metric, limit.Count)
	}
	if err == nil {
		s.family, s.labels = name, labels
	}
	return err
}

// attach returns the labels of a series, without its name.
func (src *source) attach(pairs []*dto.LabelPair) history.Labels {
	if src.target != nil {
		return src.target.attach(pairs, src.labels)
	}
	out := make(history.Labels, 0, len(pairs))
	for _, l := range pairs {
		out = append(out, history.Label{Name: strings.Clone(l.GetName()), Value: strings.Clone(l.GetValue())})
	}
	return out
}

// validate refuses what Prometheus' scrape would: registries have checked it
// before, other gatherers may not have.
func validate(f *dto.MetricFamily, m *dto.Metric) error {
	name := f.GetName()
	if !model.UTF8Validation.IsValidMetricName(name) {
		return fmt.Errorf("%w: name %q", ErrInvalid, name)
	}
	seen := map[string]bool{}
	for _, l := range m.Label {
		switch label := l.GetName(); {
		case !model.UTF8Validation.IsValidLabelName(label) || label == history.NameLabel:
			return fmt.Errorf("%w: %s: label name %q", ErrInvalid, name, label)
		case seen[label]:
			return fmt.Errorf("%w: %s: label %s twice", ErrInvalid, name, label)
		case !utf8.ValidString(l.GetValue()):
			return fmt.Errorf("%w: %s: label %s: %q is not UTF-8", ErrInvalid, name, label, l.GetValue())
		}
		seen[l.GetName()] = true
	}
	return nil
}

// write sets the values of the metric.
func (s *slot) write(st *history.Store, m *dto.Metric) error {
	if len(s.series) == 0 {
		return nil // refused by fill
	}
	i := 0
	var duplicate *history.Series
	set := func(v float64) {
		if !st.Set(s.series[i], v) {
			duplicate = s.series[i]
		}
		i++
	}
	switch {
	case m.Histogram != nil:
		h := m.Histogram
		for _, b := range h.Bucket {
			set(count(b.GetCumulativeCountFloat(), b.GetCumulativeCount()))
		}
		set(h.GetSampleSum())
		set(count(h.GetSampleCountFloat(), h.GetSampleCount()))
		if !hasInfinite(h) {
			set(count(h.GetSampleCountFloat(), h.GetSampleCount()))
		}
		if s.native && !st.SetHistogram(s.series[i], native.Part(h)) {
			duplicate = s.series[i]
		}
	case m.Summary != nil:
		for _, q := range m.Summary.Quantile {
			set(q.GetValue())
		}
		set(m.Summary.GetSampleSum())
		set(float64(m.Summary.GetSampleCount()))
	case m.Counter != nil:
		set(m.Counter.GetValue())
	case m.Gauge != nil:
		set(m.Gauge.GetValue())
	default:
		set(m.Untyped.GetValue())
	}
	if since := native.Created(m); !since.IsZero() {
		for _, x := range s.series {
			x.Created = since.UnixNano()
		}
	}
	if duplicate != nil {
		return fmt.Errorf("%w: %s", ErrDuplicate, duplicate.Labels)
	}
	s.exemplify(st, m)
	return nil
}

// exemplify keeps the exemplars of a counter and of classic buckets.
func (s *slot) exemplify(st *history.Store, m *dto.Metric) {
	if x := m.GetCounter().GetExemplar(); x != nil {
		st.Exemplify(s.series[0], x)
	}
	for i, b := range m.GetHistogram().GetBucket() {
		if x := b.GetExemplar(); x != nil {
			st.Exemplify(s.series[i], x)
		}
	}
}

// count prefers the float that only native histograms fill in.
func count(f float64, n uint64) float64 {
	if f > 0 {
		return f
	}
	return float64(n)
}

// formatBound writes le and quantile as Prometheus 3 stores them: "1.0", "+Inf".
func formatBound(v float64) string {
	s := formatValue(v)
	if strings.ContainsAny(s, ".eNI") {
		return s
	}
	return s + ".0"
}

// sourceName names the i-th gatherer.
func sourceName(i int) string { return "gatherer " + strconv.Itoa(i) }
