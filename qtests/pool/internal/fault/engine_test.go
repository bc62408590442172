package fault

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/event"
	"github.com/go-qtests/qtests/qtests/internal/stress"
	"github.com/go-qtests/qtests/qtests/latency"
	"github.com/go-qtests/qtests/qtests/pool/internal/faulttest"
	"github.com/go-qtests/qtests/qtests/tb"
	"github.com/go-qtests/qtests/qtests/tbtest"
)

// newEngine returns an engine for q with the scope of the whole fake.
func newEngine(q *qtests.T) (*Engine, Scope) {
	e := New(Config{}.WithDefaults(q, "fake", 1), nil)
	q.Cleanup(e.Close)
	return e, NewScope("fault", q, e)
}

func TestEndedContextPassesNothing(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		e, f := newEngine(q)
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		require.Equal(q, context.Canceled, e.Do(ctx, &Call{Op: "GET"}))
		f.Event("slow", Fault{Kind: Slow, X: 2}).Begin()
		require.Equal(q, context.Canceled, e.Do(ctx, &Call{Op: "GET"}))
		require.Equal(q, Stats{Calls: 2, Canceled: 2}, e.Stats())
	})
}

func TestFlapPlacedTwice(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		e, f := newEngine(q)
		flap := f.Flap(2*time.Second, time.Second)
		faulttest.Schedule(q, flap.At(0).For(10*time.Second), flap.At(4*time.Second).For(20*time.Second)) // one flapping, from 0 to 24s
		for offset, down := range map[time.Duration]bool{3: false, 5: true, 6: false, 11: true, 20: true, 23: true, 24: false, 26: false} {
			faulttest.At(q, offset*time.Second+500*time.Millisecond, func() {
				err := e.Do(context.Background(), &Call{Op: "GET"})
				if errors.Is(err, ErrOutage) != (down) {
					q.Errorf("at %v: %v", q.Elapsed(), err)
				}
			})
		}
		faulttest.At(q, 23900*time.Millisecond, func() {
			e.mu.Lock()
			defer e.mu.Unlock()
			if e.mu.flaps[0].begun != 1 {
				q.Error("the second begin has been undone by the first end")
			}
		})
		q.Sleep(time.Minute)
		require.NoError(q, e.Do(context.Background(), &Call{Op: "GET"}))
	})
}

// interval is one event of the model test, in milliseconds.
type interval struct{ from, to int }

// predict is the reference: what becomes of a call, and when.
func predict(start, latency int, outages, freezes []interval) (end int, err string) {
	for _, o := range outages {
		if o.from <= start && start < o.to {
			return start, "refused"
		}
	}
	end = start + latency
	for moved := true; moved; {
		moved = false
		for _, f := range freezes {
			if f.from <= end && end < f.to {
				end, moved = f.to, true
			}
		}
	}
	for _, o := range outages { // sorted
		if start < o.from && o.from < end {
			return o.from, "cut off"
		}
	}
	return end, "ok"
}

func TestFaultsModel(t *testing.T) {
	for round := range 20 * stress.Factor(t) {
		seed := tb.SeedOf(t) + uint64(round)
		r := rand.New(rand.NewPCG(seed, 5))
		ok := t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			qtests.Run(t, func(q *qtests.T) { modelRun(q, r) })
		})
		if !ok {
			t.Fatalf("to repeat: go test -run '^%s$' -qtests.seed=%d", t.Name(), seed)
		}
	}
}

// modelRun plays random outages and freezes against random calls. Events fall on
// multiples of 10 ms, calls begin and end at other instants, so nothing ties.
func modelRun(q *qtests.T, r *rand.Rand) {
	random := func() (out []interval) {
		for at := 10; at < 5000; {
			at += 10 * (1 + r.IntN(80))
			to := at + 10*(1+r.IntN(40))
			out = append(out, interval{at, to})
			at = to
		}
		return out
	}
	outages, freezes := random(), random()
	e, f := newEngine(q)
	var events []event.Event
	for _, o := range outages {
		events = append(events, f.Event("outage", Fault{Kind: Outage}).At(ms(o.from)).For(ms(o.to-o.from)))
	}
	for _, o := range freezes {
		events = append(events, f.Event("freeze", Fault{Kind: Freeze}).At(ms(o.from)).For(ms(o.to-o.from)))
	}
	faulttest.Schedule(q, events...)
	for i := range 200 {
		start, took := 10*r.IntN(500)+3, 10*r.IntN(60)
		op := fmt.Sprint(i)
		faulttest.At(q, ms(start), func() {
			err := e.Do(context.Background(), &Call{Op: op, Latency: latency.Fixed(ms(took))})
			end, want := predict(start, took, outages, freezes)
			if got := kindOf(err); got != want || q.Elapsed() != ms(end) {
				q.Errorf("call at %d for %d: %s at %v, want %s at %d\noutages %v\nfreezes %v",
					start, took, got, q.Elapsed(), want, end, outages, freezes)
			}
			if s := e.Stats(); s.Calls != s.OK+s.Failed+s.Canceled+uint64(s.InFlight) {
				q.Errorf("%+v does not add up", s)
			}
		})
	}
	q.Sleep(time.Minute)
	s := e.Stats()
	require.Equal(q, uint64(200), s.OK+s.Failed)
	require.Zero(q, s.InFlight)
	require.Nil(q, e.mu.waiting.head, "nobody is left on the list")
}

func ms(n int) time.Duration { return time.Duration(n) * time.Millisecond }

func kindOf(err error) string {
	var fe *Error
	switch {
	case err == nil:
		return "ok"
	case errors.As(err, &fe) && fe.Cause == refusedCause:
		return "refused"
	}
	return "cut off"
}

var refusedCause = refused("", "").(*Error).Cause

func TestCloseEndsEveryFault(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		e, s := newEngine(q)
		get := func() error { return e.Do(context.Background(), &Call{Op: "GET"}) }
		outage := s.Event("outage", Fault{Kind: Outage})
		outage.Begin()
		s.Flap(time.Second, time.Second).Begin()
		q.Sleep(1500 * time.Millisecond)
		require.ErrorIs(q, get(), ErrOutage)
		e.Close()
		require.NoError(q, get())
		marks, _ := q.EventLog().Marks()
		q.Sleep(time.Minute)
		later, _ := q.EventLog().Marks()
		require.Equal(q, marks, later, "a flapping has stopped")
		outage.Begin()
		flap := s.Flap(time.Second, time.Second)
		flap.Begin()
		q.Sleep(1500 * time.Millisecond)
		require.NoError(q, get(), "nothing begins any more")
		outage.End()
		flap.End()
		require.NoError(q, get())
	})
}

// TestAddError takes every probability there is, and no other.
func TestAddError(t *testing.T) {
	broken := errors.New("broken")
	for _, c := range []struct {
		p    float64
		err  error
		want string // how the test fails
	}{
		{0, broken, ""},
		{1, broken, ""},
		{-0.1, broken, "fault: fake: Errors: -0.1 is not between 0 and 1"},
		{1.1, broken, "fault: fake: Errors: 1.1 is not between 0 and 1"},
		{math.NaN(), broken, "fault: fake: Errors: NaN is not between 0 and 1"},
		{0.5, nil, "fault: fake: Errors: <nil> is no error"},
	} {
		rec := tbtest.Run("t", func(rec *tbtest.TB) {
			e := New(Config{}.WithDefaults(rec, "fake", 1), nil)
			b := NewBehaviour(latency.Distribution{}, 0, nil)
			b.AddError(NewScope("fault", rec, e), c.p, c.err)
			call := b.Call("GET")
			require.Equal(t, c.p == 1, e.Do(context.Background(), &call) == broken)
		})
		require.Equal(t, c.want, rec.Errors())
	}
}

// TestFrozen: the targets that a freeze concerns are, and while it lasts.
func TestFrozen(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		e, s := newEngine(q)
		stub := &struct{ int }{}
		freeze := s.Of(stub, "stub").Event("freeze", Fault{Kind: Freeze})
		frozen := func() []bool { return []bool{e.Frozen(Targets{stub}), e.Frozen(Targets{})} }
		require.Equal(q, []bool{false, false}, frozen())
		freeze.Begin()
		require.Equal(q, []bool{true, false}, frozen())
		freeze.End()
		require.Equal(q, []bool{false, false}, frozen())
	})
}
