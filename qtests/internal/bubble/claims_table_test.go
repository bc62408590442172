package bubble

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestNanoseconds(t *testing.T) {
	var set nanoseconds
	in := map[int64]bool{0: true, 5: true, 63: true, 64: true, 130: true, 999: true}
	for raw := range in {
		set.add(7_000_000 + raw)
	}
	for raw := range int64(2 * microsecond) {
		require.Equal(t, in[raw%microsecond], set.has(raw), raw)
	}
}

// TestTakeOvertakesNobody: an instant is not free where somebody behind it has asked for the same or for an earlier one.
func TestTakeOvertakesNobody(t *testing.T) {
	const at = 1_000_000
	for _, c := range []struct {
		name           string
		before         []int64 // nominal instants of waits that begin at 0
		ticker         int64   // where one ticks, or -1
		nominal, taken int64   // of one that begins at 7, to which all of these are free
	}{
		{"alone", nil, -1, at, at},
		{"behind one that asked for the same", []int64{at}, -1, at, at + 2},
		{"behind two", []int64{at, at}, -1, at, at + 3},
		{"before one that asked for a later one", []int64{at + 1}, -1, at, at},
		{"behind one that asked for an earlier one", []int64{at}, -1, at + 1, at + 2},
		{"not on a ticker's", nil, 0, at, at + 1},
		{"behind one behind a ticker's", []int64{at}, 1, at, at + 3},
	} {
		claims := newClaims()
		if c.ticker >= 0 {
			claims.reserve(c.ticker)
		}
		for _, nominal := range c.before {
			claims.take(0, nominal)
		}
		require.Equal(t, c.taken, claims.take(7, c.nominal), c.name)
	}
}

// TestReserveLeavesHalf: however many tickers there are, half of the nanoseconds of a microsecond stay free.
func TestReserveLeavesHalf(t *testing.T) {
	c := newClaims()
	for range 2 {
		c.reserve(3)
		require.Equal(t, microsecond-1, c.free, "the same twice is one")
	}
	for raw := range int64(microsecond) {
		c.reserve(raw)
	}
	require.Equal(t, microsecond/2, c.free)
	reserved := 0
	for raw := range int64(microsecond) {
		if c.reserved.has(raw) {
			reserved++
		}
	}
	require.Equal(t, microsecond/2, reserved)
	_, ok := c.takeOwn(0, 0)
	require.False(t, ok, "no more of its own for a timer either")
}

// TestLapse: a claim that nobody settles is known at its instant and forgotten behind it; one that was given back goes when half
// of them have been.
func TestLapse(t *testing.T) {
	c := newClaims()
	const pending, cancelled = 100, 100 + 64
	var first int64
	for i := range int64(pending) {
		raw := c.take(0, 1_000_000+i)
		c.lapse(raw)
		if i == 0 {
			first = raw
		}
	}
	cancel := func(i int64) {
		raw := c.take(0, 2_000_000+i)
		c.lapse(raw)
		c.settle(raw)
	}
	for i := range int64(cancelled) {
		cancel(i)
	}
	// The one that is being cancelled counts as pending when it is looked at.
	cancel(cancelled)
	cancel(cancelled + 1)
	require.Len(t, c.lapsing, pending+cancelled+2)
	cancel(cancelled + 2)
	require.Len(t, c.lapsing, pending+1)
	require.Equal(t, pending, c.taken.n)

	c.take(first, 3_000_000)
	nominal, ok := c.nominal(first)
	require.True(t, ok)
	require.EqualValues(t, 1_000_000, nominal)
	c.take(first+1, 3_000_000)
	_, ok = c.nominal(first)
	require.False(t, ok)
	c.take(3_000_000, 3_000_001)
	require.Equal(t, 3, c.taken.n)
}

// TestTakeAny takes the first that is free, whatever ties with it, and never now.
func TestTakeAny(t *testing.T) {
	c := newClaims()
	for _, want := range []struct{ nominal, raw int64 }{{5_000, 10_001}, {10_001, 10_002}, {12_000, 12_000}, {10_000, 10_003}, {12_000, 12_001}} {
		require.Equal(t, want.raw, c.takeAny(10_000, want.nominal), want)
	}
	require.EqualValues(t, 10_001-5_000, c.stretch)
}

// TestTakeOwn: the nanosecond is nobody's, neither a ticker's nor one at which somebody is due, and is then reserved.
func TestTakeOwn(t *testing.T) {
	const now = 4_000_000
	taken := func(but ...int64) claims {
		c := newClaims()
		for raw := range int64(microsecond) {
			c.put(9_000_000+raw, 9_000_000)
		}
		for _, raw := range but {
			c.settle(9_000_000 + raw)
		}
		return c
	}
	for _, c := range []struct {
		name    string
		but     []int64 // the nanoseconds that are free
		nominal int64
		raw     int64 // 0: none
	}{
		{"the next", []int64{1}, now, now + 1},
		{"the first of two", []int64{7, 9}, now, now + 7},
		{"the last", []int64{0}, now, now + microsecond},
		{"none", nil, now, 0},
		{"behind what was asked for", []int64{3, 8}, now + 5, now + 8},
		{"asked for before now", []int64{3}, now - 500, now + 3},
		{"a microsecond away", []int64{1}, now + 5, now + microsecond + 1},
	} {
		claims := taken(c.but...)
		raw, ok := claims.takeOwn(now, c.nominal)
		require.Equal(t, c.raw != 0, ok, c.name)
		require.Equal(t, c.raw, raw, c.name)
		if ok {
			require.True(t, claims.reserved.has(raw), c.name)
			nominal, known := claims.nominal(raw)
			require.Equal(t, []any{c.nominal, true}, []any{nominal, known}, c.name)
		}
	}
}

// TestEndModel compares the end of an instant with what its comment says, word by word.
func TestEndModel(t *testing.T) {
	for seed := range uint64(500) {
		r := rand.New(rand.NewPCG(seed, 4))
		c := newClaims()
		now := int64(1_000_000)
		var all []claim
		far := []int64{5, 40, 3000}[r.IntN(3)] // the set is read by instants or by slots
		for range r.IntN(10) {
			one := claim{raw: now + 1 + r.Int64N(far)}
			one.nominal = one.raw - r.Int64N(far)
			if _, twice := c.nominal(one.raw); !twice {
				c.put(one.raw, one.nominal)
				all = append(all, one)
			}
		}
		nominal, reach := now-r.Int64N(far), r.Int64N(2*far)
		want := now
		for _, one := range all {
			if one.nominal <= nominal {
				want = max(want, one.raw)
			}
		}
		last := max(want, nominal+reach)
		for _, one := range all {
			if one.raw > want {
				last = min(last, one.raw-1)
			}
		}
		require.Equal(t, max(want, last), c.end(now, nominal, reach), fmt.Sprintf("seed %d: %v", seed, all))
	}
}

// TestSearchesShortenTheWay: in a row of waits, each of which goes on at once from its own place, few steps lead to the end.
func TestSearchesShortenTheWay(t *testing.T) {
	const at, row = 1_000_001, 900
	c := newClaims()
	for range row {
		c.take(0, at)
	}
	steps := 0
	for now := int64(at); now < at+row; now++ {
		c.settle(now)
		for s := c.taken.find(now + 1); s != nil; s = c.taken.find(s.next) {
			steps++
		}
		require.Equal(t, now+row, c.take(now, now))
	}
	require.Less(t, steps, 5*row)
}
