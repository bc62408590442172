package qtests

import (
	"sync"
	"testing"

	"github.com/go-qtests/qtests/qtests/internal/exploration"
	"github.com/go-qtests/qtests/qtests/internal/explore"
	"github.com/go-qtests/qtests/qtests/internal/settings"
)

// Run runs body in a bubble of its own, under fake time, and returns when body,
// its cleanups and every goroutine they started have ended.
//
// The bubble starts at midnight UTC on 2000-01-01. Time moves only when every
// goroutine of the bubble is durably blocked, and then at once to the next wait
// that ends. See the package doc for the clock and for what is repeatable.
//
// A goroutine that is left when the cleanups have run fails this test, with its
// stack, and no other. So does a body that can never go on, one that stands
// still because it waits for something outside the bubble, a panic in the body
// or in a goroutine started by [T.Go], and a Goexit.
//
// Run returns only after a pass. After a failed body it ends the calling test
// with FailNow, after a skipped one with SkipNow: code that follows Run does not
// execute then, but what was deferred or registered with t.Cleanup does. A body
// that skips under some seeds only is not skipped.
//
// With -qtests.seeds=N the body runs under N seeds, each in a fresh bubble, and
// with -qtests.verify twice under each of them.
func Run(t *testing.T, body func(q *T)) {
	if why := whyNotHere(t); why != "" {
		t.Helper() // only where it is needed: it costs a tenth of a bubble
		t.Fatalf("qtests: %s", why)
	}
	here := commandLater(t.Name())
	seed, n := settings.Seed.Get(), settings.Seeds.Get()
	if settings.Seed.Random {
		t.Logf("qtests: seed %d, drawn", seed)
	}
	if s := explore.Current(); s != nil {
		exploration.RunSession(t, s, explorer(t, here, body))
		return
	}
	x, again := exploration.New(), explorer(t, here, body)
	if x.MayKnow(t.Name()) { // asked first: Helper costs a twentieth of a bubble
		if t.Helper(); x.TryKnown(t, again) {
			return
		}
	}
	if x != nil && (n > 1 || x.Explores(seed)) {
		warmUp(t)
	}
	sweep := newSweep(t.Name(), seed, n)
	for i := range uint64(n) {
		if !sweep.takes(i) {
			continue
		}
		o := runSeed(t, bubbleConfig{seed: seed + i, here: here, explore: x}, body)
		if o.failed {
			x.Remember(seed+i, o.failure)
		}
		x.Ran(seed+i, n > 1)
		if o.problems != nil || o.notes != nil {
			t.Helper()
			o.report(t)
		}
		sweep.ran(seed+i, o)
		if o.abandoned || o.failed && n == 1 {
			t.Helper()
			if !o.abandoned {
				x.Explain(t, again)
			}
			sweep.failAlone(t, here().withScale(seed+i, x.Flags(seed+i)...))
		}
	}
	if len(sweep.Failed) > 0 {
		t.Helper()
		sweep.Repeat = here().withScale(sweep.Failed[0], x.Flags(sweep.Failed[0])...)
		x.Explain(t, again)
		sweep.fail(t)
	}
	sweep.leave(t)
	if sweep.Ran > 0 && sweep.Skipped == sweep.Ran {
		t.SkipNow()
	}
}

// warmed is done when the process has had a bubble. In the first one qtests does what it
// does once per process, which starts goroutines and so changes the names of others.
var warmed sync.Once

func warmUp(t *testing.T) {
	warmed.Do(func() { runBubble(t, bubbleConfig{seed: settings.DefaultSeed}, func(*T) {}) })
}

// explorer returns how an exploration runs the body.
func explorer(t *testing.T, here func() command, body func(*T)) exploration.Run {
	return func(x *exploration.Exploration, seed uint64) exploration.Outcome {
		warmUp(t)
		o := runBubble(t, bubbleConfig{seed: seed, here: here, explore: x}, body)
		return exploration.Outcome{Failure: o.failure, Sometimes: o.sometimes, Abandoned: o.abandoned, Report: func() { t.Helper(); o.report(t) }}
	}
}
