package chaos

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/event"
	"github.com/go-qtests/qtests/qtests/tb"
)

var nothing = event.New("nothing", func() {}, func() {})

func prepared(t *testing.T, f Fault) Fault {
	t.Helper()
	f, err := f.withDefaults(time.Minute)
	require.NoError(t, err)
	return f
}

// What is drawn keeps within the bounds, does not meet itself, and comes as often as it should.
func TestDraws(t *testing.T) {
	f := prepared(t, Fault{
		Event: nothing, Chance: 0.3, Most: 4, From: 10 * time.Second, To: 50 * time.Second,
		Shortest: time.Millisecond, Longest: 30 * time.Second, Before: &Component{}, Operations: 3,
	})
	n, operations := 0, map[int]int{}
	short := 0
	for seed := range uint64(2000) {
		last := time.Duration(0)
		all := f.draw(tb.NewStream(seed, "x"), 1)
		require.Equal(t, all, f.draw(tb.NewStream(seed, "x"), 1))
		for _, d := range all {
			from := 10*time.Second + time.Duration(d.N-1)*10*time.Second
			require.True(t, d.At >= from && d.At < from+10*time.Second, "%v", d)
			require.GreaterOrEqual(t, d.At, last, "seed %d: it meets itself", seed)
			require.True(t, d.For > 0 && d.For <= 30*time.Second, "%v", d)
			last = d.At + d.For
			operations[d.Before]++
			n++
			if d.For < 175*time.Millisecond { // the middle, by the logarithm
				short++
			}
		}
	}
	require.InDelta(t, 2400, n, 170) // four standard errors
	require.InDelta(t, 0.5, float64(short)/float64(n), 0.05)
	require.Len(t, operations, 3)
	for op, k := range operations {
		require.InDelta(t, n/3, k, 120, "operation %d", op)
	}
}

// A fault that is left out changes no other.
func TestDrawsAreApart(t *testing.T) {
	one := prepared(t, Fault{Event: nothing, Most: 6, Longest: time.Second})
	all := one.draw(tb.NewStream(5, "x"), 1)
	one.Chance = 1
	certain := one.draw(tb.NewStream(5, "x"), 1)
	require.Len(t, certain, 6)
	require.NotEmpty(t, all)
	require.Less(t, len(all), 6)
	at := map[int]time.Duration{}
	for _, d := range certain {
		at[d.N] = d.At
	}
	for _, d := range all {
		require.Equal(t, at[d.N], d.At)
	}
}

func TestFaultDefaults(t *testing.T) {
	f := prepared(t, Fault{Event: nothing.For(5 * time.Second)})
	require.Equal(t, []any{0.5, 1, time.Minute, 5 * time.Second, 5 * time.Second}, []any{f.Chance, f.Most, f.To, f.Shortest, f.Longest})
	f = prepared(t, Fault{Event: nothing, Longest: time.Second})
	require.Equal(t, 10*time.Millisecond, f.Shortest)
	for want, f := range map[string]Fault{
		"an event has no name": {Event: event.New("", func() {}, nil)},
		"nothing: Chance: 1.5": {Event: nothing, Chance: 1.5},
		"nothing: Chance: -1 ": {Event: nothing, Chance: -1},
		"nothing: Most: -1":    {Event: nothing, Most: -1},
		"nothing: From and To: 0s to 2m0s is no time within 1m0s": {Event: nothing, To: 2 * time.Minute},
		"nothing: From and To: 5s to 4s":                          {Event: nothing, From: 5 * time.Second, To: 4 * time.Second},
		"nothing: Shortest and Longest: 2s to 1s":                 {Event: nothing, Shortest: 2 * time.Second, Longest: time.Second},
		"nothing: Operations: 3, with Before <nil>":               {Event: nothing, Operations: 3},
		"Begin and End are both nil":                              {Event: event.New("x", nil, nil)},
	} {
		_, err := f.withDefaults(time.Minute)
		require.ErrorContains(t, err, want)
	}
}
