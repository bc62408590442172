package result

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// Merge puts the parts of one run together, which it takes in any order. Counts, times and histograms
// add up, so that the result is the one of a single run with all their requests, with these
// exceptions. MaxInFlight, and InFlight of the timeline, are the sums of what the parts had in the
// same interval at most: the whole had no more. Marks of several parts that are the same are told
// once, as of the first of them. What monitors and sections told is there for each part.
//
// The parts of a run under a fake clock all ran the whole of it. They have to be equal to the byte,
// and the first is returned.
//
// Merge judges no thresholds: see the package merge, which does. The error names every part that does
// not fit, and the reason: another scenario, seed, number of parts, version, profile or
// start, other bounds of histograms, a part that is missing or there twice, and clocks or starts that
// are a second or more apart.
func Merge(parts ...*Result) (*Result, error) {
	parts = slices.SortedStableFunc(slices.Values(parts), func(a, b *Result) int {
		if a.Part == nil || b.Part == nil {
			return 0
		}
		return cmp.Compare(a.Part.Index, b.Part.Index)
	})
	if err := belong(parts); err != nil {
		return nil, err
	}
	if parts[0].Part.Whole {
		return parts[0].whole(), nil
	}
	m, width := newMerged(parts), time.Duration(0)
	for _, p := range parts {
		m.add(p)
		width = max(width, p.Interval)
	}
	for _, p := range parts {
		m.addSeen(p, width)
	}
	return m.finish(parts)
}

// whole is the result of the run where one part ran all of it: the result of that part.
func (r *Result) whole() *Result {
	whole, part := *r, *r.Part
	part.Index = 0
	whole.Part, whole.Buckets = &part, bucketsOf(part.Intervals)
	return &whole
}

// merged is a result that grows by a part at a time.
type merged struct {
	*Result
	steps, tags map[string]int // places
	checks      map[string]*CheckResult
	kinds       map[string]*ErrorCount
	metrics     map[string]*metricParts
	windows     []map[int]*PartWindow
}

// metricParts is a metric of the scenario's own, with the values of a trend.
type metricParts struct {
	MetricResult
	PartMetric
}

func newMerged(parts []*Result) *merged {
	first := parts[0]
	part := *first.Part
	part.Index, part.ClockOff, part.Until = 0, 0, 0
	part.Windows, part.Intervals, part.Metrics, part.Steps, part.Tags = nil, nil, nil, nil, nil
	return &merged{
		Result: &Result{
			Version: first.Version, Scenario: first.Scenario, Test: first.Test, Profile: first.Profile, Seed: first.Seed, Scale: first.Scale,
			Start: first.Part.Begin, Origin: first.Origin, Duration: first.Duration, Repeat: first.Repeat, Order: first.Order, Part: &part,
			ErrorKinds: []ErrorCount{}, Thresholds: []Verdict{}, Marks: []Mark{},
		},
		steps: map[string]int{}, tags: map[string]int{}, checks: map[string]*CheckResult{}, kinds: map[string]*ErrorCount{},
		metrics: map[string]*metricParts{}, windows: make([]map[int]*PartWindow, len(first.Part.Windows)),
	}
}

// add adds a part.
func (m *merged) add(p *Result) {
	for _, c := range [][2]*int64{
		{&m.Scheduled, &p.Scheduled}, {&m.Started, &p.Started}, {&m.Finished, &p.Finished}, {&m.Errors, &p.Errors}, {&m.Dropped, &p.Dropped},
		{&m.Interrupted, &p.Interrupted}, {&m.Abandoned, &p.Abandoned}, {&m.Attempts, &p.Attempts}, {&m.Retries, &p.Retries},
		{&m.RetriesDenied, &p.RetriesDenied}, {&m.Timeouts, &p.Timeouts}, {&m.Panics, &p.Panics}, {&m.Goexits, &p.Goexits},
	} {
		*c[0] += *c[1]
	}
	m.MarksDropped += p.MarksDropped
	m.Elapsed = max(m.Elapsed, p.Elapsed)
	m.Part.Until = max(m.Part.Until, p.Part.Until)
	if p.Busy > math.MaxInt64-m.Busy {
		m.Busy = math.MaxInt64
	} else {
		m.Busy += p.Busy
	}
	m.Response.Merge(&p.Response)
	m.Service.Merge(&p.Service)
	m.Late.Merge(&p.Late)
	m.Steps, m.Part.Steps = addSteps(m.steps, m.Steps, m.Part.Steps, p.Steps, p.Part.Steps)
	m.Tags, m.Part.Tags = addSteps(m.tags, m.Tags, m.Part.Tags, p.Tags, p.Part.Tags)
	m.addChecks(p.Checks)
	m.addKinds(p.ErrorKinds)
	m.addMetrics(p.Metrics, p.Part.Metrics)
	m.addWindows(p.Part.Windows)
	m.addTroubles(p)
}

// addSteps adds steps or tags, and returns the sums in the order in which they came up.
func addSteps(at map[string]int, sums []StepResult, counts []PartCounts, more []StepResult, moreCounts []PartCounts) ([]StepResult, []PartCounts) {
	for i, s := range more {
		k, known := at[s.Name]
		if !known {
			k = len(sums)
			at[s.Name] = k
			sums, counts = append(sums, StepResult{Name: s.Name, Part: s.Part}), append(counts, PartCounts{})
		}
		sum := &sums[k]
		sum.Started += s.Started
		sum.Finished += s.Finished
		sum.Errors += s.Errors
		sum.Interrupted += s.Interrupted
		sum.LastEnd = max(sum.LastEnd, s.LastEnd)
		sum.Response.Merge(&s.Response)
		sum.Service.Merge(&s.Service)
		sum.addCurve(&s)
		if i < len(moreCounts) {
			c := moreCounts[i]
			counts[k].Timeouts += c.Timeouts
			counts[k].Retries += c.Retries
			counts[k].Denied += c.Denied
		}
	}
	return sums, counts
}

func (m *merged) addChecks(checks []CheckResult) {
	for _, c := range checks {
		sum := m.checks[c.Name]
		if sum == nil {
			sum = &CheckResult{Name: c.Name}
			m.checks[c.Name] = sum
		}
		sum.Passed += c.Passed
		sum.Total += c.Total
	}
}

func (m *merged) addKinds(kinds []ErrorCount) {
	for _, e := range kinds {
		sum := m.kinds[e.Kind]
		if sum == nil {
			first := e
			m.kinds[e.Kind] = &first
			continue
		}
		count := sum.Count + e.Count
		if e.First < sum.First {
			*sum = e
		}
		sum.Count = count
	}
}

func (m *merged) addMetrics(metrics []MetricResult, more []PartMetric) {
	for i, x := range metrics {
		sum := m.metrics[x.Name]
		if sum == nil {
			sum = &metricParts{MetricResult: MetricResult{Name: x.Name, Kind: x.Kind, Time: x.Time, Min: x.Min, Max: x.Max}}
			m.metrics[x.Name] = sum
		}
		sum.Samples += x.Samples
		sum.Passed += x.Passed
		sum.Sum = min(max(sum.Sum+x.Sum, -math.MaxFloat64), math.MaxFloat64)
		sum.Min, sum.Max = min(sum.Min, x.Min), max(sum.Max, x.Max)
		if i >= len(more) {
			continue
		}
		sum.Trend.Merge(&more[i].Trend)
		if more[i].At >= sum.At {
			sum.At, sum.Last = more[i].At, x.Last
		}
	}
}

func (m *merged) addWindows(windows [][]PartWindow) {
	for i, all := range windows[:min(len(windows), len(m.windows))] {
		if m.windows[i] == nil {
			m.windows[i] = map[int]*PartWindow{}
		}
		for _, w := range all {
			sum := m.windows[i][w.Window]
			if sum == nil {
				sum = &PartWindow{Window: w.Window}
				m.windows[i][w.Window] = sum
			}
			sum.add(w)
		}
	}
}

// add adds what another part has counted in the window.
func (w *PartWindow) add(more PartWindow) {
	w.N += more.N
	w.Of += more.Of
	if more.Times != nil {
		if w.Times == nil {
			w.Times = &Histogram{}
		}
		w.Times.Merge(more.Times)
	}
}

// addTroubles adds what went wrong in a part, with its name.
func (m *merged) addTroubles(p *Result) {
	for _, c := range [][2]*string{{&m.Halted, &p.Halted}, {&m.Warning, &p.Warning}, {&m.LogLost, &p.LogLost}} {
		if *c[1] == "" {
			continue
		}
		if *c[0] != "" {
			*c[0] += "; "
		}
		*c[0] += p.part() + ": " + *c[1]
	}
	if p.Halted != "" && (m.HaltedAt == 0 || p.HaltedAt < m.HaltedAt) {
		m.HaltedAt = p.HaltedAt
	}
	m.Slow = m.Slow || p.Slow
}

// finish puts lists in order, and adds what depends on all parts.
func (m *merged) finish(parts []*Result) (*Result, error) {
	for _, name := range sortedKeys(m.checks) {
		m.Checks = append(m.Checks, *m.checks[name])
	}
	for _, kind := range sortedKeys(m.kinds) {
		m.ErrorKinds = append(m.ErrorKinds, *m.kinds[kind])
	}
	slices.SortStableFunc(m.ErrorKinds, func(a, b ErrorCount) int { return cmp.Compare(b.Count, a.Count) })
	for _, name := range sortedKeys(m.metrics) {
		x := m.metrics[name]
		if x.Kind == "trend" {
			x.P50, x.P90, x.P95, x.P99 = x.Trend.Percentile(50), x.Trend.Percentile(90), x.Trend.Percentile(95), x.Trend.Percentile(99)
		}
		m.Metrics, m.Part.Metrics = append(m.Metrics, x.MetricResult), append(m.Part.Metrics, x.PartMetric)
	}
	for _, windows := range m.windows {
		m.Part.Windows = append(m.Part.Windows, inOrder(windows))
	}
	if m.Elapsed > 0 {
		m.MeanInFlight = (float64(m.Busy/time.Second)*1e9 + float64(m.Busy%time.Second)) / float64(m.Elapsed)
	}
	m.Marks = mergedMarks(parts)
	return m.Result, m.addTimelines(parts)
}

func inOrder(windows map[int]*PartWindow) (all []PartWindow) {
	for _, k := range sortedKeys(windows) {
		all = append(all, *windows[k])
	}
	return all
}
