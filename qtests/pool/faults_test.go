package pool

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/tbtest"
)

func TestPick(t *testing.T) {
	a, b := errors.New("a"), errors.New("b")
	for _, c := range []struct {
		chances []chance
		u       float64
		want    error
	}{
		{nil, 0, nil},
		{[]chance{{0, a}}, 0, nil},
		{[]chance{{1, a}}, 0.999, a},
		{[]chance{{0.25, a}}, 0.2499, a},
		{[]chance{{0.25, a}}, 0.25, nil},
		{[]chance{{0.5, a}, {0.5, b}}, 0.4999, a},
		{[]chance{{0.5, a}, {0.5, b}}, 0.5, b},
		{[]chance{{0.5, a}, {0.5, b}}, 0.7499, b}, // half of the half that a leaves
		{[]chance{{0.5, a}, {0.5, b}}, 0.75, nil},
		{[]chance{{1, a}, {1, b}}, 0.9, a},
	} {
		require.Equal(t, c.want, pick(c.chances, c.u), "%v at %v", c.chances, c.u)
	}
}

func TestStretchSaturates(t *testing.T) {
	require.Equal(t, 3*time.Second, stretch(time.Second, 3))
	require.Equal(t, time.Duration(math.MaxInt64), stretch(time.Hour, 1e300))
	require.Equal(t, time.Duration(math.MaxInt64), stretch(math.MaxInt64, 1), "a factor of 1 changes nothing")
}

func TestScriptCombinesOverlappingFaults(t *testing.T) {
	var s script
	stub := &struct{ int }{}
	on, other := targets{stub}, targets{&struct{ int }{}}
	double, triple := &fault{kind: faultSlow, x: 2}, &fault{kind: faultSlow, x: 3, on: stub}
	s.begin(double)
	s.begin(triple)
	s.begin(double)
	require.Equal(t, 12.0, s.slowdown(on))
	require.Equal(t, 4.0, s.slowdown(other))
	require.True(t, s.end(double))
	require.Equal(t, 6.0, s.slowdown(on), "each end undoes one begin")
	require.True(t, s.end(double))
	require.False(t, s.end(double), "more ends than begins")
	require.Equal(t, 3.0, s.slowdown(on))

	s.begin(&fault{kind: faultCapacity, x: 5})
	s.begin(&fault{kind: faultCapacity, x: 3})
	require.Equal(t, 3.0, s.lowest(faultCapacity, targets{}, 20))
	require.Equal(t, 2.0, s.lowest(faultCapacity, targets{}, 2))
}

func nothing(context.Context) error { return nil }

// at calls f at an offset from the start of the bubble.
func at(q *qtests.T, offset time.Duration, f func()) {
	q.Clock().AfterFunc(offset-q.Elapsed(), f)
}

func schedule(q *qtests.T, events ...qtests.Event) {
	stop, err := qtests.Schedule(q.Context(), q.Clock(), q.EventLog(), events...)
	require.NoError(q, err)
	q.Cleanup(func() { require.NoError(q, stop()) })
	q.Wait() // its first wait is armed before any of the test's
}

// calls records how each call of a fake ended, and when.
type calls struct {
	q  *qtests.T
	mu sync.Mutex
	as []string
}

func (c *calls) do(do func(ctx context.Context) error) {
	err := do(context.Background())
	c.mu.Lock()
	defer c.mu.Unlock()
	c.as = append(c.as, fmt.Sprint(c.q.Elapsed(), " ", err))
}

func TestVocabulary(t *testing.T) {
	const s = time.Second
	injected := "fake: GET: pool: injected error"
	refused := "fake: GET: pool: outage: connection refused"
	cut := "fake: GET: pool: outage: connection reset by peer"
	for _, c := range []struct {
		name  string
		event func(*Fake) qtests.Event // from 10s to 20s
		calls []time.Duration          // each takes 1s
		want  []string
	}{
		{"outage", func(f *Fake) qtests.Event { return f.Outage() },
			[]time.Duration{8 * s, 9500 * time.Millisecond, 15 * s, 20 * s},
			[]string{"9s <nil>", "10s " + cut, "15s " + refused, "21s <nil>"}},
		{"slow", func(f *Fake) qtests.Event { return f.Slow(3.5) },
			[]time.Duration{9500 * time.Millisecond, 15 * s, 19 * s, 20 * s},
			[]string{"10.5s <nil>", "18.5s <nil>", "21s <nil>", "22.5s <nil>"}},
		{"error rate", func(f *Fake) qtests.Event { return f.ErrorRate(1) },
			[]time.Duration{9500 * time.Millisecond, 15 * s, 20 * s},
			[]string{"10.5s <nil>", "16s " + injected, "21s <nil>"}},
		{"freeze", func(f *Fake) qtests.Event { return f.Freeze() },
			[]time.Duration{8 * s, 9500 * time.Millisecond, 15 * s, 19500 * time.Millisecond, 20 * s},
			[]string{"9s <nil>", "20s <nil>", "20s <nil>", "20.5s <nil>", "21s <nil>"}},
		{"flap", func(f *Fake) qtests.Event { return f.Flap(3*s, 2*s) }, // down 13–15 and 18–20
			[]time.Duration{10 * s, 12500 * time.Millisecond, 14 * s, 15 * s, 16500 * time.Millisecond, 18500 * time.Millisecond, 21 * s},
			[]string{"11s <nil>", "13s " + cut, "14s " + refused, "16s <nil>", "17.5s <nil>", "18.5s " + refused, "22s <nil>"}},
		{"brownout", func(f *Fake) qtests.Event { return f.Brownout(1) },
			[]time.Duration{9500 * time.Millisecond, 9600 * time.Millisecond, 10 * s, 10100 * time.Millisecond, 20 * s, 20 * s},
			[]string{"10.5s <nil>", "10.6s <nil>", "11.6s <nil>", "12.6s <nil>", "21s <nil>", "21s <nil>"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			qtests.Run(t, func(q *qtests.T) {
				f := NewFake(q, FakeConfig{Max: 3, Latency: qtests.Fixed(time.Second)})
				seen := &calls{q: q}
				schedule(q, c.event(f).At(10*s).For(10*s))
				for i, offset := range c.calls {
					// Half a microsecond later per call keeps the order of the list.
					at(q, offset, func() { q.Clock().Sleep(time.Duration(i)); seen.do(f.Wrap("GET", nothing)) })
				}
				q.Sleep(time.Minute)
				for i, a := range seen.as { // those nanoseconds again
					d, rest, _ := cutSpace(a)
					seen.as[i] = fmt.Sprint(d.Round(time.Microsecond), " ", rest)
				}
				require.Equal(q, c.want, seen.as)
				st := f.Stats()
				require.Equal(q, st.Calls.Calls, st.Calls.OK+st.Calls.Failed)
				require.Equal(q, uint64(len(c.calls)), st.Ops["GET"])
			})
		})
	}
}

func cutSpace(s string) (time.Duration, string, error) {
	for i := range s {
		if s[i] == ' ' {
			d, err := time.ParseDuration(s[:i])
			return d, s[i+1:], err
		}
	}
	return 0, s, errors.New("no space")
}

func TestFlapIsInTheEventLog(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		f := NewFake(q, FakeConfig{Name: "redis"})
		schedule(q, f.Flap(2*time.Second, time.Second).At(time.Second).For(6*time.Second))
		q.Sleep(time.Minute)
		marks, _ := q.EventLog().Marks()
		var got []string
		for _, m := range marks {
			got = append(got, fmt.Sprint(m.At.Sub(q.Clock().Now().Add(-time.Minute)), " ", m.Source, " ", m.Text))
		}
		require.Equal(q, []string{
			"1s event redis: flapping, 2s up, 1s down: begins",
			"3s event redis: goes down", "4s event redis: comes up", "6s event redis: goes down",
			"7s event redis: flapping, 2s up, 1s down: ends",
		}, got)
	})
}

func TestContextEndsAFrozenCall(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		f := NewFake(q, FakeConfig{Latency: qtests.Fixed(time.Second)})
		f.Freeze().Begin()
		ctx, cancel := q.Clock().WithTimeout(context.Background(), 90*time.Second)
		defer cancel()
		require.Equal(q, context.DeadlineExceeded, f.Do(ctx, "GET", nothing))
		require.Equal(q, 90*time.Second, q.Elapsed())
		require.Equal(q, FaultStats{Calls: 1, Canceled: 1}, f.Stats().Calls)
	})
}

func TestEndedContextPassesNothing(t *testing.T) {
	f := NewFake(t, FakeConfig{})
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	require.Equal(t, context.Canceled, f.engine.do(ctx, &faultCall{op: "GET"}))
	f.Slow(2).Begin()
	require.Equal(t, context.Canceled, f.engine.do(ctx, &faultCall{op: "GET"}))
	require.Equal(t, FaultStats{Calls: 2, Canceled: 2}, f.Stats().Calls)
}

func TestFlapPlacedTwice(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		f := NewFake(q, FakeConfig{})
		flap := f.Flap(2*second, second)
		schedule(q, flap.At(0).For(10*second), flap.At(4*second).For(20*second)) // one flapping, from 0 to 24s
		for offset, down := range map[time.Duration]bool{3: false, 5: true, 6: false, 11: true, 20: true, 23: true, 24: false, 26: false} {
			at(q, offset*second+500*time.Millisecond, func() {
				err := f.Do(context.Background(), "GET", nothing)
				if errors.Is(err, ErrOutage) != (down) {
					q.Errorf("at %v: %v", q.Elapsed(), err)
				}
			})
		}
		at(q, 23900*time.Millisecond, func() {
			fl := f.engine.mu.flaps[0]
			fl.mu.Lock()
			defer fl.mu.Unlock()
			if fl.mu.begun != 1 {
				q.Error("the second begin has been undone by the first end")
			}
		})
		q.Sleep(time.Minute)
		require.NoError(q, f.Do(context.Background(), "GET", nothing))
	})
}

// Calls cut off or let go together go on one after the other, in the order in
// which they began to wait.
func TestMassWakeIsInOrder(t *testing.T) {
	for _, name := range []string{"outage", "freeze"} {
		t.Run(name, func(t *testing.T) {
			qtests.Run(t, func(q *qtests.T) {
				f := NewFake(q, FakeConfig{Latency: qtests.Fixed(time.Second)})
				var mu sync.Mutex
				var order []int
				for i := range 100 {
					at(q, time.Duration(i)*time.Millisecond, func() {
						_ = f.Do(context.Background(), "GET", nothing)
						mu.Lock()
						defer mu.Unlock()
						order = append(order, i)
					})
				}
				event := f.Outage()
				if name == "freeze" {
					event = f.Freeze()
				}
				schedule(q, event.At(500*time.Millisecond).For(2*time.Second))
				q.Sleep(time.Minute)
				var want []int
				for i := range 100 {
					want = append(want, i)
				}
				require.Equal(q, want, order)
			})
		})
	}
}

func TestFaultsRejectMeaninglessParameters(t *testing.T) {
	for want, f := range map[string]func(*HTTP){
		"pool: http: Slow: 0 is not a finite number above 0":    func(h *HTTP) { h.Slow(0) },
		"pool: http: Slow: +Inf is not a finite number above 0": func(h *HTTP) { h.Slow(math.Inf(1)) },
		"pool: http: ErrorRate: 1.5 is not between 0 and 1":     func(h *HTTP) { h.ErrorRate(1.5) },
		"pool: http: ErrorRate: NaN is not between 0 and 1":     func(h *HTTP) { h.ErrorRate(math.NaN()) },
		"pool: http: ErrorRateOf: <nil> is no error":            func(h *HTTP) { h.ErrorRateOf(0.5, nil) },
		"pool: http: Flap: up: 0s is not above 0":               func(h *HTTP) { h.Flap(0, time.Second) },
		"pool: http: Flap: down: -1s is not above 0":            func(h *HTTP) { h.Flap(time.Second, -time.Second) },
		"pool: http: Brownout: 0 is not above 0":                func(h *HTTP) { h.Brownout(0) },
		"pool: http: Status: 42 is not between 100 and 599":     func(h *HTTP) { h.Status(42) },
		"pool: http: RetryAfter: -1s is negative":               func(h *HTTP) { h.RetryAfter(503, -time.Second) },
		"pool: http: Bandwidth: 0 is not above 0":               func(h *HTTP) { h.Bandwidth(0) },
		"pool: http: ResetBody: -1 is negative":                 func(h *HTTP) { h.ResetBody(-1) },
		"pool: http: StallBody: -1 is negative":                 func(h *HTTP) { h.StallBody(-1) },
	} {
		rec := tbtest.Run("t", func(t *tbtest.TB) {
			f(NewHTTP(t, HTTPConfig{}))
			t.Errorf("went on")
		})
		require.Equal(t, want, rec.Errors())
	}
}

// stress is by how much more the random tests do.
func stress() int {
	n, _ := strconv.Atoi(os.Getenv("QTESTS_STRESS"))
	return max(1, n)
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
	for round := range 20 * stress() {
		seed := qtests.SeedOf(t) + uint64(round)
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
	f := NewFake(q, FakeConfig{})
	var events []qtests.Event
	for _, o := range outages {
		events = append(events, f.Outage().At(ms(o.from)).For(ms(o.to-o.from)))
	}
	for _, o := range freezes {
		events = append(events, f.Freeze().At(ms(o.from)).For(ms(o.to-o.from)))
	}
	schedule(q, events...)
	for i := range 200 {
		start, latency := 10*r.IntN(500)+3, 10*r.IntN(60)
		op := fmt.Sprint(i)
		f.On(op).Latency(qtests.Fixed(ms(latency)))
		at(q, ms(start), func() {
			err := f.Do(context.Background(), op, nothing)
			end, want := predict(start, latency, outages, freezes)
			if got := kindOf(err); got != want || q.Elapsed() != ms(end) {
				q.Errorf("call at %d for %d: %s at %v, want %s at %d\noutages %v\nfreezes %v",
					start, latency, got, q.Elapsed(), want, end, outages, freezes)
			}
			if s := f.Stats().Calls; s.Calls != s.OK+s.Failed+s.Canceled+uint64(s.InFlight) {
				q.Errorf("%+v does not add up", s)
			}
		})
	}
	q.Sleep(time.Minute)
	s := f.Stats().Calls
	require.Equal(q, uint64(200), s.OK+s.Failed)
	require.Zero(q, s.InFlight)
	require.Nil(q, f.engine.mu.waiting.head, "nobody is left on the list")
}

func ms(n int) time.Duration { return time.Duration(n) * time.Millisecond }

func kindOf(err error) string {
	var fe *FaultError
	switch {
	case err == nil:
		return "ok"
	case errors.As(err, &fe) && fe.Cause == refusedCause:
		return "refused"
	}
	return "cut off"
}

var refusedCause = refused("", "").(*FaultError).Cause
