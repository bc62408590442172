package bubble

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/internal/stress"
)

// TestClaimsModel checks the invariants of claims under random operations: no
// instant is taken twice, none lies before what was asked for, none is a whole
// number of microseconds away or on a ticker's nanosecond, and what is settled
// or has lapsed is forgotten.
func TestClaimsModel(t *testing.T) {
	for seed := range uint64(10 * stress.Factor(t)) {
		checkClaims(t, rand.New(rand.NewPCG(seed, 1)), 2000)
		if t.Failed() {
			t.Fatalf("to repeat: seed %d", seed)
		}
	}
}

func checkClaims(t *testing.T, r *rand.Rand, operations int) {
	t.Helper()
	c := newClaims()
	now := int64(946684800000000000)
	type wait struct{ nominal, lapses int64 }
	pending := map[int64]wait{} // the reference
	reserved := map[int64]bool{}
	for range operations {
		switch r.IntN(10) {
		case 0: // time moves to the next instant, or by something else's timer
			now += r.Int64N(3000)
			for raw, w := range pending {
				if raw < now && w.lapses == 0 {
					c.settle(raw) // a Sleep always settles
				}
				if raw < now {
					delete(pending, raw)
				}
			}
		case 1:
			if r.IntN(20) == 0 {
				c.reserve(now)
				reserved[now%microsecond] = c.reserved.has(now)
			}
		case 2: // a cancelled wait gives its instant back
			for raw := range pending {
				c.settle(raw)
				delete(pending, raw)
				break
			}
		default:
			nominal := now + r.Int64N(20)*500
			if r.IntN(10) == 0 {
				nominal = now - r.Int64N(1000)
			}
			raw := c.take(now, nominal)
			_, twice := pending[raw]
			require.False(t, twice, "instant %d is taken twice", raw)
			require.GreaterOrEqual(t, raw, nominal)
			require.Greater(t, raw, now)
			require.NotZero(t, (raw-now)%microsecond, "a whole number of microseconds away")
			require.False(t, reserved[raw%microsecond], "on a ticker's nanosecond")
			w := wait{nominal: nominal, lapses: r.Int64N(2)}
			if w.lapses == 1 {
				c.lapse(raw)
			}
			pending[raw] = w
			for _, s := range c.taken.table {
				require.False(t, s.raw != 0 && s.raw < now, "an instant that has passed is kept")
			}
			got, ok := c.nominal(raw)
			require.True(t, ok)
			require.Equal(t, nominal, got)
		}
		require.LessOrEqual(t, len(c.lapsing), 2*c.taken.n+65)
	}
	for raw := range pending {
		require.NotNil(t, c.taken.find(raw))
	}
}

// TestSlotsModel compares the table with the built-in map.
func TestSlotsModel(t *testing.T) {
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 2))
		var table slots
		model := map[int64]slot{}
		for step := range 20_000 {
			// Few distinct instants, and waves of growth and decline, so that
			// rows form, wrap around the end and dissolve. Some are neighbours.
			raw := 1 + r.Int64N(50)*1000 + r.Int64N(10)
			if (step/4000)%2 == 0 || r.IntN(3) > 0 {
				if table.find(raw) == nil {
					s := slot{raw: raw, nominal: r.Int64(), next: r.Int64()}
					table.put(s)
					model[raw] = s
				} else {
					table.find(raw).next++
					s := model[raw]
					s.next++
					model[raw] = s
				}
			}
			if (step/4000)%2 == 1 || r.IntN(3) == 0 {
				raw := 1 + r.Int64N(50)*1000 + r.Int64N(10)
				table.remove(raw)
				delete(model, raw)
			}
			if step%100 == 0 {
				require.Equal(t, len(model), table.n)
				for raw, want := range model {
					require.Equal(t, want, *table.find(raw))
				}
				require.LessOrEqual(t, 2*table.n, max(len(table.table), minSlots))
				require.LessOrEqual(t, len(table.table), max(minSlots, 32*table.n+32))
			}
		}
	}
}

func TestInstantsModel(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 3))
	var h instants
	var sorted []int64
	for range 10_000 {
		if r.IntN(5) < 3 {
			x := r.Int64N(1000)
			h.push(x)
			at, _ := slices.BinarySearch(sorted, x)
			sorted = slices.Insert(sorted, at, x)
		} else if len(sorted) > 0 {
			require.Equal(t, sorted[0], h.pop())
			sorted = sorted[1:]
		}
		require.Len(t, h, len(sorted))
	}
}

func TestClaimsManyAtOneInstant(t *testing.T) {
	// Probing one by one would need 5·10⁹ steps.
	c := newClaims()
	for range 100_000 {
		c.take(0, 1_000_000)
	}
	require.Equal(t, 100_000, c.taken.n)
	require.Less(t, c.stretch, int64(100_200))
	for range 100_000 {
		c.take(7, 1_000_000) // to whom instants are free that were not to the others
	}
	require.Equal(t, 200_000, c.taken.n)

	// Each from an instant of its own, for one of its own in the midst of the row.
	for i := range int64(100_000) {
		c.take(i, 1_000_000+i)
	}
	require.Equal(t, 300_000, c.taken.n)
}

// TestSlotsKeepTheirSize: the table is at most half full, and at least a sixteenth unless it is small.
func TestSlotsKeepTheirSize(t *testing.T) {
	var table slots
	table.put(slot{raw: 1})
	table.remove(1)
	require.Len(t, table.table, minSlots)
	for raw := int64(1); raw <= 33; raw++ {
		table.put(slot{raw: raw})
		want := minSlots
		for want < 2*int(raw) {
			want *= 2
		}
		require.Len(t, table.table, want, "with %d", raw)
	}
	for raw := int64(33); raw > 8; raw-- {
		table.remove(raw)
		require.Len(t, table.table, 128, "with %d", raw-1)
	}
	table.remove(8)
	require.Len(t, table.table, 32)
	for raw := int64(1); raw < 8; raw++ {
		require.NotNil(t, table.find(raw))
	}
}
