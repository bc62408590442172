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
// turn, so that the results are the better comparison. Work that measures itself is
// done at the size. If profile is set, it is the file for a profile of the last
// contestant, by [ProfileTo].
func Benchmark(b *testing.B, groups []Group, size Size, profile string) {
	for _, g := range groups {
		b.Run(g.Name, func(b *testing.B) {
			for i := range g.Comparisons {
				c := &g.Comparisons[i]
				b.Run(c.Name, func(b *testing.B) { c.benchmark(b, size, profile) })
			}
		})
	}
}

func (c *Comparison) benchmark(b *testing.B, size Size, profile string) {
	for i := range c.Contestants {
		contestant := &c.Contestants[i]
		b.Run(contestant.Name, func(b *testing.B) {
			if contestant.Absent != "" {
				b.Skip(contestant.Absent)
			}
			if c.Setup != nil {
				c.Setup(b)
			}
			file := profile
			if contestant.Profile != nil {
				file = "" // it is written where the work is done
			}
			if contestant.Work.timed != nil {
				benchmarkTimed(b, contestant.Work.timed, file)
			} else {
				c.benchmarkMeasured(b, contestant.Work.measured, size, file)
			}
		})
	}
}

func benchmarkTimed(b *testing.B, start func(testing.TB) func(int) error, profile string) {
	run := start(b)
	stop := profiled(b, profile)
	b.ReportAllocs()
	b.ResetTimer()
	err := run(b.N)
	b.StopTimer()
	if err := firstOf(err, stop()); err != nil {
		b.Fatal(err)
	}
}

func (c *Comparison) benchmarkMeasured(b *testing.B, start func(testing.TB) func(Size) (Readings, error), size Size, profile string) {
	measure := start(b)
	stop := profiled(b, profile)
	var all []map[string]Readings
	for b.Loop() {
		readings, err := measure(size)
		if err != nil {
			b.Fatal(firstOf(err, stop()))
		}
		all = append(all, map[string]Readings{"": readings})
	}
	if err := stop(); err != nil {
		b.Fatal(err)
	}
	r := &Result{Comparison: c, Turns: all}
	for _, f := range c.Figures {
		if x := r.Median("", f.Name); finite(x) {
			b.ReportMetric(x, benchmarkUnit(f))
		}
	}
	b.ReportMetric(0, "ns/op") // of a turn, which says nothing
}

// profiled starts a profile, if there is a file for it. It is of the work without
// what sets it up, and the profile of a longer run replaces the one of a shorter run.
func profiled(b *testing.B, file string) (stop func() error) {
	if file == "" {
		return func() error { return nil }
	}
	stop, err := ProfileTo(file)
	if err != nil {
		b.Fatal(err)
	}
	return stop
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
