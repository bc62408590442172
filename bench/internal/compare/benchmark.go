package compare

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Benchmark runs every contestant as a benchmark of its own, named by its group,
// its comparison and itself: to be profiled, and for a look at a single figure. The
// contestants of a comparison run one after the other, not in turn, so that the
// results are the better comparison. Work that measures itself is done at the size.
func Benchmark(b *testing.B, groups []Group, size Size) {
	for _, g := range groups {
		b.Run(g.Name, func(b *testing.B) {
			for i := range g.Comparisons {
				c := &g.Comparisons[i]
				b.Run(c.Name, func(b *testing.B) { c.benchmark(b, size) })
			}
		})
	}
}

func (c *Comparison) benchmark(b *testing.B, size Size) {
	for _, contestant := range c.Contestants {
		b.Run(contestant.Name, func(b *testing.B) {
			if contestant.Absent != "" {
				b.Skip(contestant.Absent)
			}
			if c.Setup != nil {
				c.Setup(b)
			}
			var err error
			if contestant.Work.timed != nil {
				run := contestant.Work.timed(b)
				b.ReportAllocs()
				b.ResetTimer()
				err = run(b.N)
			} else {
				err = c.benchmarkMeasured(b, contestant.Work.measured(b), size)
			}
			if err != nil {
				b.Fatal(err)
			}
		})
	}
}

func (c *Comparison) benchmarkMeasured(b *testing.B, measure func(Size) (Readings, error), size Size) error {
	r := &Result{Comparison: c}
	for b.Loop() {
		readings, err := measure(size)
		if err != nil {
			return err
		}
		r.Turns = append(r.Turns, map[string]Readings{"": readings})
	}
	for _, f := range c.Figures {
		if x := r.Median("", f.Name); finite(x) {
			b.ReportMetric(x, benchmarkUnit(f))
		}
	}
	b.ReportMetric(0, "ns/op") // of a turn, which says nothing
	return nil
}

// benchmarkUnit is a figure's name as the testing package wants it: a unit
// without white space.
func benchmarkUnit(f Figure) string {
	suffix := map[Unit]string{Nanoseconds: "-ns", Bytes: "-B", PerSecond: "/s"}[f.Unit]
	return strings.ReplaceAll(f.Name, " ", "-") + suffix
}

// benchmarkOf selects ours of a comparison among the benchmarks of [Benchmark],
// which is called by one of this name.
func benchmarkOf(group, comparison string) string {
	return Pattern("BenchmarkRows", group, comparison, OursName)
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
