package compare

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Benchmark runs every contestant as a benchmark of its own, named by its group,
// its comparison and itself: for a profile of one of them, and for a look at a
// single figure. The contestants of a comparison run one after the other, not in
// turn, so that the results are the better comparison.
func Benchmark(b *testing.B, groups []Group) {
	for _, g := range groups {
		b.Run(g.Name, func(b *testing.B) {
			for i := range g.Comparisons {
				c := &g.Comparisons[i]
				b.Run(c.Name, func(b *testing.B) { c.benchmark(b) })
			}
		})
	}
}

func (c *Comparison) benchmark(b *testing.B) {
	for i := range c.Contestants {
		contestant := &c.Contestants[i]
		b.Run(contestant.Name, func(b *testing.B) {
			if contestant.Absent != "" {
				b.Skip(contestant.Absent)
			}
			if c.Setup != nil {
				c.Setup(b)
			}
			if contestant.Work.timed != nil {
				benchmarkTimed(b, contestant.Work.timed)
			} else {
				c.benchmarkMeasured(b, contestant.Work.measured)
			}
		})
	}
}

func benchmarkTimed(b *testing.B, start func(testing.TB) func(int) error) {
	run := start(b)
	b.ReportAllocs()
	b.ResetTimer()
	if err := run(b.N); err != nil {
		b.Fatal(err)
	}
	b.StopTimer()
}

func (c *Comparison) benchmarkMeasured(b *testing.B, start func(testing.TB) func(Size) (Readings, error)) {
	measure := start(b)
	var all []map[string]Readings
	for b.Loop() {
		readings, err := measure(Full)
		if err != nil {
			b.Fatal(err)
		}
		all = append(all, map[string]Readings{"": readings})
	}
	r := &Result{Comparison: c, Turns: all}
	for _, f := range c.Figures {
		if x := r.Median("", f.Name); finite(x) {
			b.ReportMetric(x, benchmarkUnit(f))
		}
	}
	b.ReportMetric(0, "ns/op") // of a turn, which says nothing
}

// benchmarkUnit is a figure's name as the testing package wants it: a unit
// without white space.
func benchmarkUnit(f Figure) string {
	suffix := map[Unit]string{Nanoseconds: "-ns", Bytes: "-B", PerSecond: "/s"}[f.Unit]
	return strings.ReplaceAll(f.Name, " ", "-") + suffix
}

// Pattern is the argument of -bench or -run that selects one test or benchmark
// below another, by their names.
func Pattern(names ...string) string {
	names = slices.Clone(names)
	for i, name := range names {
		names[i] = "^" + regexp.QuoteMeta(strings.ReplaceAll(name, " ", "_")) + "$"
	}
	return strings.Join(names, "/")
}
