package qtests

import (
	"flag"
	"runtime"
	"testing"

	"github.com/go-qtests/qtests/qtests/internal/settings"
)

// Bench runs body in a bubble, a fresh one in every iteration of b.Loop, all under
// the same seed, and times it from outside, where time is real. Everything said of
// [Run] holds for the bubbles, leaks, stalls and traps included. The time and the
// allocations of an iteration contain the opening and closing of the bubble, some
// ten microseconds: what is not much slower than that repeats itself inside the
// body, and says so with b.ReportMetric.
//
// The first iteration that fails or skips ends the benchmark, with b.FailNow or
// b.SkipNow; what it reported is printed above the benchmark's own line, and what
// passing iterations log is dropped, also under -v. Inside the body b stands for
// real time: its timer must be left alone there. Bench owns the loop: neither b.N
// nor b.Loop is for the body, nor for the benchmark around it.
func Bench(b *testing.B, body func(q *T)) {
	b.Helper()
	if InBubble() {
		b.Fatalf("qtests: Bench inside a bubble: bubbles do not nest. Call it from the benchmark itself")
	}
	config := bubbleConfig{seed: settings.Seed.Get()}
	var end outcome
	iteration := 0
	inTest(b.Name(), func(t *testing.T) {
		for b.Loop() {
			iteration++
			end = runBubble(t, config, body)
			end.report(t)
			if end.failed || end.skipped {
				return
			}
		}
	})
	switch {
	case iteration == 0:
		b.Fatalf("qtests: the testing package did not run the body")
	case end.failed:
		b.Fatalf("qtests: iteration %d failed, as printed above; it ran with -%s=%d", iteration, settings.Seed.Flag, config.seed)
	case end.skipped:
		b.SkipNow()
	}
}

// inTest calls f with a *testing.T of its own, which is what a bubble takes and
// what a benchmark does not have. RunTests is how the testing package makes one;
// the zero T, which it could do without, would have no place to print to.
func inTest(name string, f func(t *testing.T)) {
	// RunTests obeys the flags, which are those of the benchmark's run: -run and
	// -skip to select tests, -failfast to refuse any after a failure, -count to
	// repeat, -v to print.
	defer setFlags(map[string]string{
		"test.run": "", "test.skip": "", "test.failfast": "false", "test.count": "1", "test.v": "false",
	})()
	// Its list of -cpu is parsed already: it sets each in turn and runs the test.
	procs := runtime.GOMAXPROCS(0)
	defer runtime.GOMAXPROCS(procs)
	ran := false
	testing.RunTests(
		func(_, _ string) (bool, error) { return true, nil },
		[]testing.InternalTest{{Name: name, F: func(t *testing.T) {
			if ran {
				return
			}
			ran = true
			runtime.GOMAXPROCS(procs)
			f(t)
		}}})
}

// setFlags sets flags and returns what sets them back. One that this version of
// Go does not have needs no setting.
func setFlags(values map[string]string) (restore func()) {
	before := map[string]string{}
	for name, value := range values {
		if f := flag.Lookup(name); f != nil {
			before[name] = f.Value.String()
			_ = f.Value.Set(value)
		}
	}
	return func() {
		for name, value := range before {
			_ = flag.Lookup(name).Value.Set(value)
		}
	}
}
