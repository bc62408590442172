package result

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/load/internal/sketch"
	"github.com/go-qtests/qtests/qtests/section"
)

var begin = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// someParts are n parts of a run in real time.
func someParts(n int) (parts []*Result) {
	for i := 1; i <= n; i++ {
		r := &Result{
			Version: Version, Scenario: "shop", Test: "TestShop", Profile: "10/s for 1s", Seed: 3, Scale: 1, Start: begin, Duration: time.Second,
			Elapsed: time.Second + time.Duration(i)*time.Millisecond, Scheduled: 4, Started: 3, Finished: 2, Dropped: 1, Interrupted: 1, Errors: 1,
			Attempts: 3, Busy: time.Duration(i) * time.Second, Interval: 100 * time.Millisecond,
			Timeline: []Point{{Arrivals: 3, InFlight: 2}, {Offset: 100 * time.Millisecond, Arrivals: 1, InFlight: int64(i)}}, Marks: []Mark{},
			Part: &Part{Index: i, Of: n, Qtests: "v1", Bounds: Bounds, Plan: "p", Begin: begin, Until: time.Second, Thresholds: []string{"errors<1%"}, Intervals: make([]sketch.Sketch, 2)},
		}
		r.Response.Record(time.Duration(i) * time.Millisecond)
		parts = append(parts, r)
	}
	return parts
}

// TestMergeRefuses has what does not belong together: each is named.
func TestMergeRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(parts []*Result) []*Result
		want  string
	}{
		"nothing":      {func([]*Result) []*Result { return nil }, "load: Merge: there are no parts"},
		"no part":      {func(p []*Result) []*Result { p[1].Part = nil; return p }, `is not a part of a run`},
		"scenario":     {func(p []*Result) []*Result { p[1].Scenario = "bar"; return p }, "part 2 of 4 does not belong to part 1 of 4: another scenario: bar, and not shop"},
		"test":         {func(p []*Result) []*Result { p[1].Test = "TestBar"; return p }, "another test: TestBar"},
		"seed":         {func(p []*Result) []*Result { p[3].Seed = 9; return p }, "part 4 of 4 does not belong to part 1 of 4: another seed: 9, and not 3"},
		"number":       {func(p []*Result) []*Result { p[2].Part.Of = 8; return p }, "part 3 of 8 does not belong to part 1 of 4: another number of parts: 8, and not 4"},
		"version":      {func(p []*Result) []*Result { p[1].Part.Qtests = "v2"; return p }, "another version of qtests: v2, and not v1"},
		"bounds":       {func(p []*Result) []*Result { p[1].Part.Bounds = "1ns..1h"; return p }, "another bounds of the histograms: 1ns..1h, and not 1us..24h, 3 digits"},
		"profile":      {func(p []*Result) []*Result { p[1].Profile = "11/s for 1s"; return p }, "another profile: 11/s for 1s"},
		"scale":        {func(p []*Result) []*Result { p[1].Scale = .1; return p }, "another scale: 0.1, and not 1"},
		"thresholds":   {func(p []*Result) []*Result { p[1].Part.Thresholds = nil; return p }, "another thresholds: [], and not [errors<1%]"},
		"plan":         {func(p []*Result) []*Result { p[1].Part.Plan = "q"; return p }, "another plan (steps, weights or limits): q"},
		"clock":        {func(p []*Result) []*Result { p[1].Part.Whole = true; return p }, "another kind of clock: a fake clock, and not real time"},
		"start":        {func(p []*Result) []*Result { p[1].Part.Begin = begin.Add(1); return p }, "another common start: 2026-03-01T12:00:00.000000001Z"},
		"missing":      {func(p []*Result) []*Result { return p[1:] }, `load: Merge: scenario "shop": part 1 of 4: missing`},
		"two missing":  {func(p []*Result) []*Result { return p[2:] }, `parts 1, 2 of 4: missing`},
		"doubled":      {func(p []*Result) []*Result { return append(p, p[2]) }, `part 3 of 4: there more than once`},
		"foreign":      {func(p []*Result) []*Result { p[3].Part.Index = 5; return p }, `part 5 of 4: no part of this run`},
		"clock ahead":  {func(p []*Result) []*Result { p[1].Part.ClockOff = 2 * time.Second; return p }, "the clocks are 2s apart, and may be 1s: the clock of part 2 of 4 is 2s ahead of the others"},
		"clock behind": {func(p []*Result) []*Result { p[3].Part.ClockOff = -2 * time.Second; return p }, "the clock of part 4 of 4 is 2s behind the others"},
		"late":         {func(p []*Result) []*Result { p[0].Start = begin.Add(1500 * time.Millisecond); return p }, "part 1 of 4 began at 2026-03-01T12:00:01.5Z, 1.5s from the common start"},
		"early":        {func(p []*Result) []*Result { p[0].Start = begin.Add(-1500 * time.Millisecond); return p }, ", 1.5s from the common start"},
		"just late":    {func(p []*Result) []*Result { p[0].Start = begin.Add(time.Second); return p }, ", 1s from the common start"},
		"just early":   {func(p []*Result) []*Result { p[0].Start = begin.Add(-time.Second); return p }, ", 1s from the common start"},
		"no width":     {func(p []*Result) []*Result { p[0].Interval = 0; return p }, "the timeline of part 1 of 4 has intervals of 0s"},
		"just endless": {func(p []*Result) []*Result { p[0].Timeline[1].Offset = 1000 * time.Second; return p }, "no run has as many"},
		"widths":       {func(p []*Result) []*Result { p[0].Interval = 30 * time.Millisecond; return p }, "intervals of 30ms, which do not divide 100ms"},
		"cut":          {func(p []*Result) []*Result { p[0].Part.Intervals = nil; return p }, "the timeline of part 1 of 4 has 2 intervals, and the times of 0"},
		"endless":      {func(p []*Result) []*Result { p[0].Timeline[1].Offset = time.Hour; return p }, "no run has as many"},
		"not the same": {func(p []*Result) []*Result { whole(p); p[2].Finished++; return p }, "part 1 of 4 and part 3 of 4 ran the same under a fake clock"},
		"nearly in time": {func(p []*Result) []*Result {
			p[1].Part.ClockOff, p[2].Start = 999*time.Millisecond, begin.Add(999*time.Millisecond)
			return p
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			parts := c.spoil(someParts(4))
			rand.Shuffle(len(parts), func(i, k int) { parts[i], parts[k] = parts[k], parts[i] })
			_, err := Merge(parts...)
			if c.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, c.want)
		})
	}
}

// whole makes parts those of a fake clock.
func whole(parts []*Result) {
	for i, p := range parts {
		index := p.Part.Index
		*p = *parts[0]
		part := *p.Part
		part.Index, part.Whole, part.Begin = index, true, time.Time{}
		p.Part = &part
		_ = i
	}
}

// TestMergeAddsUp: sums, what is the most of all, and what each part told.
func TestMergeAddsUp(t *testing.T) {
	parts := someParts(3)
	parts[0].Halted, parts[2].Halted, parts[2].HaltedAt, parts[1].Warning, parts[1].Slow = "a", "b", time.Second, "slow", true
	parts[0].Marks = []Mark{{0, "event", "outage: begins"}, {5, "event", "outage: begins"}}
	parts[1].Marks = []Mark{{1, "event", "outage: begins"}, {4, "event", "outage: begins"}, {7, "event", "late"}}
	parts[2].Marks = []Mark{{2, "event", "outage: begins"}, {6, "event", "outage: begins"}}
	parts[1].Series = []Series{{Metric: "m", Labels: "x", Values: []float64{1, 5}}}
	parts[1].Sections = []section.Section{{Title: "fleet"}}
	parts[1].Monitored = &Monitored{Panels: []Panel{{Expr: "e", Lines: []Line{{Series: "s"}}}}, Failed: map[string]string{"g": "no"}, Rules: []Rule{{Name: "r"}}}
	parts[2].Monitored = &Monitored{Panels: []Panel{{Expr: "e", Lines: []Line{{Series: "s"}}}}}
	parts[0].ErrorKinds = []ErrorCount{{Kind: "k", Count: 2, First: 9, Text: "later"}}
	parts[2].ErrorKinds = []ErrorCount{{Kind: "k", Count: 1, First: 3, Text: "first"}, {Kind: "most", Count: 7}}
	// The timeline of one has doubled.
	parts[2].Interval, parts[2].Timeline, parts[2].Part.Intervals = 200*time.Millisecond, []Point{{Arrivals: 4, InFlight: 3}}, make([]sketch.Sketch, 1)
	m, err := Merge(parts...)
	require.NoError(t, err)
	require.EqualValues(t, []int64{12, 9, 6, 3, 3, 3, 9}, []int64{m.Scheduled, m.Started, m.Finished, m.Dropped, m.Interrupted, m.Errors, m.Attempts})
	require.Equal(t, 1003*time.Millisecond, m.Elapsed)
	require.Equal(t, 6*time.Second, m.Busy)
	require.InDelta(t, 6/1.003, m.MeanInFlight, 1e-9)
	require.EqualValues(t, 3, m.Response.Count())
	require.Equal(t, begin, m.Start)
	require.Equal(t, "part 1 of 3: a; part 3 of 3: b", m.Halted)
	require.Equal(t, "part 2 of 3: slow", m.Warning)
	require.True(t, m.Slow)
	require.Equal(t, []Mark{{0, "event", "outage: begins"}, {4, "event", "outage: begins"}, {7, "event", "late (in 1 of 3 parts)"}}, m.Marks)
	require.Equal(t, []Series{{Metric: "m", Labels: "x share=2", Values: []float64{5}}}, m.Series)
	require.Equal(t, "fleet (part 2 of 3)", m.Sections[0].Title)
	require.Equal(t, []Line{{Series: "s share=2"}, {Series: "s share=3"}}, m.Monitored.Panels[0].Lines)
	require.Equal(t, map[string]string{"g share=2": "no"}, m.Monitored.Failed)
	require.Equal(t, "r share=2", m.Monitored.Rules[0].Name)
	require.Equal(t, []ErrorCount{{Kind: "most", Count: 7}, {Kind: "k", Count: 3, First: 3, Text: "first"}}, m.ErrorKinds)
	require.Equal(t, 200*time.Millisecond, m.Interval)
	require.EqualValues(t, 12, m.Timeline[0].Arrivals)
	require.EqualValues(t, 2+2+3, m.Timeline[0].InFlight, "the most of each part, added up")
	require.EqualValues(t, 7, m.MaxInFlight)
}

// TestMergeOfAThousand is pure computation: 1,000 parts are one.
func TestMergeOfAThousand(t *testing.T) {
	parts := someParts(1000)
	slices.Reverse(parts)
	m, err := Merge(parts...)
	require.NoError(t, err)
	require.EqualValues(t, 4000, m.Scheduled)
	require.EqualValues(t, 1000, m.Response.Count())
	require.Equal(t, 500*time.Millisecond, m.Response.Percentile(50))
}

// FuzzMerge: no text of two parts makes a panic.
func FuzzMerge(f *testing.F) {
	var texts [][]byte
	for _, p := range someParts(2) {
		text, err := json.Marshal(p)
		require.NoError(f, err)
		texts = append(texts, text)
	}
	f.Add(texts[0], texts[1])
	f.Fuzz(func(t *testing.T, a, b []byte) {
		one, err := Read(bytes.NewReader(a))
		if err != nil {
			return
		}
		other, err := Read(bytes.NewReader(b))
		if err != nil {
			return
		}
		if m, err := Merge(one, other); err == nil {
			_ = m.String()
			_ = fmt.Sprint(m.Part)
		}
	})
}
