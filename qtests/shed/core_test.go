package shed

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var start = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

const ms = time.Millisecond

func TestAIMD(t *testing.T) {
	a := &AIMD{}
	require.NoError(t, a.Check())
	require.Equal(t, 20, a.Limit())
	for range 10 {
		a.Sample(Sample{Latency: ms, InFlight: 30})
	}
	require.Equal(t, 30, a.Limit())
	a.Sample(Sample{Latency: ms, InFlight: 14})
	require.Equal(t, 30, a.Limit(), "less than half is in use")
	a.Sample(Sample{Latency: ms, InFlight: 20, Dropped: true})
	require.Equal(t, 27, a.Limit())
	a.Sample(Sample{Latency: 6 * time.Second, InFlight: 20})
	require.Equal(t, 24, a.Limit(), "floor(24.3)")
	for range 50 {
		a.Sample(Sample{Latency: ms, InFlight: 20, Dropped: true})
	}
	require.Equal(t, 20, a.Limit(), "the least")
	for range 500 {
		a.Sample(Sample{Latency: ms, InFlight: 200})
	}
	require.Equal(t, 200, a.Limit(), "the most")
}

// The steps by hand: limit' = limit·0.8 + 0.2·(limit·gradient + 4).
func TestGradient(t *testing.T) {
	g := &Gradient{Initial: 100, Max: 1000}
	require.NoError(t, g.Check())
	for range 10 {
		g.Sample(Sample{Latency: 10 * ms, InFlight: 1}) // less than half in use: it only learns the latency
	}
	require.Equal(t, 100, g.Limit())
	g.Sample(Sample{Latency: 10 * ms, InFlight: 100})
	require.InDelta(t, 100.8, g.at, 1e-9, "gradient 1")
	long := 10.0*(1-2.0/601) + 20*2.0/601
	g.Sample(Sample{Latency: 20 * ms, InFlight: 100})
	require.InDelta(t, 100.8*0.8+0.2*(100.8*long/20+4), g.at, 1e-9)
	before := g.at
	g.Sample(Sample{Latency: time.Second, InFlight: 100})
	require.InDelta(t, before*0.8+0.2*(before*0.5+4), g.at, 1e-9, "never less than half")
	before = g.long.value
	g.Sample(Sample{Latency: ms, InFlight: 1})
	require.InDelta(t, (before*(1-2.0/601)+1e6*2/601)*0.9, g.long.value, 1, "it shrinks when it is more than twice the latency")
}

func TestVegas(t *testing.T) {
	v := &Vegas{}
	require.NoError(t, v.Check())
	sample := func(latency time.Duration, inFlight int) int {
		v.Sample(Sample{Latency: latency, InFlight: inFlight})
		return v.Limit()
	}
	require.Equal(t, 20, sample(10*ms, 20), "the first is the lowest")
	require.Equal(t, 26, sample(10*ms, 20), "no queue: 6·log10")
	require.Equal(t, 27, sample(10*ms+500*time.Microsecond, 20), "a queue of 2: log10")
	require.Equal(t, 27, sample(12*ms, 20), "a queue of 5")
	require.Equal(t, 26, sample(20*ms, 20), "a queue of 14")
	require.Equal(t, 26, sample(20*ms, 12), "less than half is in use")
	v.Sample(Sample{Latency: 10 * ms, InFlight: 1, Dropped: true})
	require.Equal(t, 25, v.Limit())
	for range 30 * 30 {
		v.Sample(Sample{Latency: 50 * ms, InFlight: 1})
	}
	require.Equal(t, 50*ms, v.least, "measured anew after 30 · limit samples")
	for range 1000 {
		v.Sample(Sample{Latency: 500 * ms, InFlight: 30})
	}
	require.GreaterOrEqual(t, v.Limit(), 1)
}

func TestWindowed(t *testing.T) {
	w := Windowed(&AIMD{Timeout: 100 * ms})
	require.NoError(t, w.Check())
	at := start
	window := func(latency time.Duration, n int) int {
		for range n {
			at = at.Add(101 * ms)
			w.Sample(Sample{At: at, Latency: latency, InFlight: 30})
		}
		return w.Limit()
	}
	require.Equal(t, 20, window(10*ms, 10), "a window begins with its first sample")
	require.Equal(t, 21, window(10*ms, 1), "one sample a second")
	require.Equal(t, 21, window(50*time.Microsecond, 100), "too fast to say something")
	require.Equal(t, 20, window(200*ms, 12), "floor(21·0.9), but at least 20")
}

func TestBadLimits(t *testing.T) {
	for want, l := range map[string]Limit{
		"shed: Fixed: 0 is below 1":                                  Fixed(0),
		"shed: AIMD.Min: 30 is over Max, 20":                         &AIMD{Min: 30, Max: 20},
		"shed: AIMD.Backoff: 1.5 is not from 0.5 to below 1":         &AIMD{Backoff: 1.5},
		"shed: Gradient.Smoothing: 2 is not between 0 and 1":         &Gradient{Smoothing: 2},
		"shed: Gradient.Initial: 5 is not from Min, 20, to Max, 200": &Gradient{Initial: 5},
		"shed: Vegas.Probe: -1 is negative":                          &Vegas{Probe: -1},
	} {
		require.EqualError(t, l.Check(), want)
	}
}

// serve lets requests arrive every gap and serves one every service, for d. It returns the sojourn times of those served, and how many were refused.
func serve(l *line, gap, service, d time.Duration) (sojourn []time.Duration, refused int) {
	nextArrival, nextService := start, start
	for now := start; now.Sub(start) < d; {
		if !nextArrival.After(nextService) {
			now = nextArrival
			l.push(&waiter{since: now})
			nextArrival = nextArrival.Add(gap)
			continue
		}
		now = nextService
		w, gone := l.next(now)
		refused += len(gone)
		if w != nil {
			sojourn = append(sojourn, now.Sub(w.since))
		}
		nextService = nextService.Add(service)
	}
	return sojourn, refused
}

func last(all []time.Duration, n int) (most time.Duration) {
	for _, d := range all[len(all)-n:] {
		most = max(most, d)
	}
	return most
}

// With 10% more than can be served, a plain queue grows for ever; CoDel's stays near its target; with less than can be served it refuses nothing.
func TestCoDel(t *testing.T) {
	made := func(q Queue) *line { return &line{cfg: q.withDefaults()} }
	plain, refused := serve(made(Queue{Max: 1}), 9*ms, 10*ms, time.Minute)
	require.Zero(t, refused)
	require.Greater(t, last(plain, 100), 5*time.Second)
	controlled, refused := serve(made(Queue{Max: 1, CoDel: true, Target: 50 * ms, Interval: time.Second}), 9*ms, 10*ms, 5*time.Minute)
	require.Less(t, last(controlled, 1000), time.Second)
	require.InDelta(t, 5*time.Minute/(90*ms), refused, 500, "one in ten")
	calm, refused := serve(made(Queue{Max: 1, CoDel: true, Target: 50 * ms, Interval: time.Second}), 11*ms, 10*ms, time.Minute)
	require.Zero(t, refused)
	require.Less(t, last(calm, 1000), 20*ms)
}

// The drops of RFC 8289 come at interval/√count from each other.
func TestCoDelControlLaw(t *testing.T) {
	c := codel{}
	for count, want := range map[int]time.Duration{1: 100 * ms, 4: 50 * ms, 25: 20 * ms} {
		c.count = count
		require.Equal(t, want, c.law(start, 100*ms).Sub(start))
	}
	l := &line{cfg: Queue{Max: 1, CoDel: true}.withDefaults()}
	for range 5000 {
		l.push(&waiter{since: start})
	}
	var drops []time.Duration
	for now := start.Add(10 * ms); len(drops) < 6; now = now.Add(time.Millisecond / 10) {
		_, refused := l.next(now)
		for range refused {
			drops = append(drops, now.Sub(start))
		}
	}
	for i := 1; i < len(drops); i++ {
		require.InDelta(t, 100/math.Sqrt(float64(i)), float64(drops[i]-drops[i-1])/float64(ms), 0.3, "drop %d", i)
	}
	require.Equal(t, 110*ms, drops[0])
}

// In an overload the last one goes first, and who has waited too long is refused; when it is over, the first goes first.
func TestAdaptiveLIFO(t *testing.T) {
	l := &line{cfg: Queue{Max: 1, AdaptiveLIFO: true}.withDefaults()}
	push := func(at time.Duration) *waiter {
		w := &waiter{since: start.Add(at)}
		l.push(w)
		return w
	}
	first, second := push(0), push(ms)
	got, refused := l.next(start.Add(2 * ms))
	require.Equal(t, first, got)
	require.Empty(t, refused)
	third, fourth := push(98*ms), push(99*ms)
	got, refused = l.next(start.Add(101 * ms))
	require.Equal(t, fourth, got, "not empty for 100 ms: the last goes first")
	require.Equal(t, []*waiter{second}, refused, "over 5 ms")
	got, _ = l.next(start.Add(102 * ms))
	require.Equal(t, third, got)
	got, _ = l.next(start.Add(103 * ms))
	require.Nil(t, got)
	fifth := push(200 * ms)
	push(201 * ms)
	got, _ = l.next(start.Add(202 * ms))
	require.Equal(t, fifth, got, "it was empty")
}

func TestCurve(t *testing.T) {
	flat := Curve{{300, 99}, {50, 50}, {100, 99}, {200, 100}}
	knee, ok := flat.Knee(0.95)
	require.True(t, ok)
	require.Equal(t, 100.0, knee)
	require.Equal(t, 0.99, flat.Kept())
	require.Equal(t, 0.25, Curve{{100, 100}, {200, 25}}.Kept())
	_, ok = Curve{{100, 10}}.Knee(0.9)
	require.False(t, ok)
	require.Equal(t, 1.0, Curve(nil).Kept())
	require.Equal(t, "        50 offered          50 served  "+repeated("█", 25)+"\n       100 offered          25 served  "+repeated("█", 13)+"\n", Curve{{100, 25}, {50, 50}}.String())
}

func repeated(s string, n int) (all string) {
	for range n {
		all += s
	}
	return all
}

func TestFairness(t *testing.T) {
	x := Stats{Classes: map[string]Counts{"a": {Offered: 100, Admitted: 50}, "b": {Offered: 10, Admitted: 5}, "c": {Offered: 10}, "d": {}}}
	require.InDelta(t, 1, x.Fairness("a", "b", "d"), 1e-12)
	require.InDelta(t, 0.5, x.Fairness("a", "c"), 1e-12)
	require.InDelta(t, 1, x.Fairness(), 1e-12)
}
