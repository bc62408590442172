package traffic

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func arrivalsOf(t *testing.T, p Profile) (out []time.Duration) {
	t.Helper()
	require.NoError(t, p.Arrivals(rand.New(rand.NewPCG(1, 2)), func(d time.Duration) bool {
		out = append(out, d)
		return true
	}))
	return out
}

func TestArrivals(t *testing.T) {
	ms := func(xs ...int) (out []time.Duration) {
		for _, x := range xs {
			out = append(out, time.Duration(x)*time.Millisecond)
		}
		return out
	}
	tests := map[string]struct {
		profile Profile
		want    []time.Duration
	}{
		"constant":                   {Rate(4).For(time.Second), ms(250, 500, 750, 1000)},
		"fraction":                   {Rate(0.5).For(5 * time.Second), ms(2000, 4000)},
		"decimal that binary lacks":  {Rate(0.3).For(10 * time.Second), []time.Duration{3333333333, 6666666667, 10e9}},
		"per minute":                 {RatePer(30, time.Minute).For(4 * time.Second), ms(2000, 4000)},
		"fractional areas carry":     {Rate(0.5).For(time.Second).For(time.Second).Jump(2).For(250 * time.Millisecond).For(250 * time.Millisecond), ms(2000, 2500)},
		"silence in between":         {Rate(1).For(time.Second).Jump(0).For(time.Hour).Jump(1).For(time.Second), ms(1000, 3602000)},
		"bursts":                     {Bursts(2, time.Second).For(2 * time.Second), ms(0, 0, 1000, 1000)},
		"bursts, amplified by half":  {Bursts(2, time.Second).For(2 * time.Second).Amplify(0.5), ms(0, 1000)},
		"budget":                     {Rate(4).For(time.Second).Budget(2), ms(250, 500)},
		"falling to zero at the end": {Rate(2).To(0, time.Second), ms(1000)},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) { require.Equal(t, tt.want, arrivalsOf(t, tt.profile)) })
	}
}

// TestPublicCheck is the ramp whose arrivals other tools publish, in whole
// milliseconds.
func TestPublicCheck(t *testing.T) {
	var got []int64
	for _, d := range arrivalsOf(t, Rate(0).To(1, 5*time.Second).For(time.Second).To(0, 5*time.Second)) {
		got = append(got, d.Milliseconds())
	}
	require.Equal(t, []int64{3162, 4472, 5500, 6527, 7837, 11000}, got)
}

// TestNoneTooMany: 50/s over 5 s are 250 requests, where others send 251.
func TestNoneTooMany(t *testing.T) {
	require.Len(t, arrivalsOf(t, Rate(50).For(5*time.Second)), 250)
	require.Len(t, arrivalsOf(t, Rate(200).For(time.Hour)), 720_000)
}

// reference computes the k-th arrival in rational arithmetic and bisection: no
// instant before it has area k, and half a nanosecond later has.
func reference(p Profile, k int64) time.Duration {
	area := func(twice int64) *big.Rat { // twice the nanoseconds, for halves
		sum, left := new(big.Rat), big.NewRat(twice, 2)
		for _, s := range p.pieces() {
			d := new(big.Rat).SetInt64(int64(s.d))
			x := d
			if left.Cmp(d) < 0 {
				x = left
			}
			from, to := new(big.Rat).SetFloat64(s.from), new(big.Rat).SetFloat64(s.to)
			slope := new(big.Rat).Quo(new(big.Rat).Sub(to, from), d)
			a := new(big.Rat).Mul(from, x)
			a.Add(a, new(big.Rat).Mul(slope, new(big.Rat).Mul(x, new(big.Rat).Quo(x, big.NewRat(2, 1)))))
			sum.Add(sum, a)
			left = new(big.Rat).Sub(left, x)
		}
		return sum.Quo(sum, new(big.Rat).SetInt64(int64(p.unit)))
	}
	low, high, want := int64(0), 2*int64(p.Duration()), new(big.Rat).SetInt64(k)
	for low < high {
		middle := low + (high-low)/2
		if area(middle).Cmp(want) >= 0 {
			high = middle
		} else {
			low = middle + 1
		}
	}
	// low is the first half nanosecond with area k, and the arrival lies in the
	// half before it: a half that is reached exactly rounds up.
	if low%2 == 1 && area(low).Cmp(want) == 0 {
		low++
	}
	return time.Duration(low / 2)
}

func TestArrivalsAreExactToTheNanosecond(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	for range 60 {
		p := Rate(r.Float64() * 1000)
		for range 1 + r.IntN(4) {
			d := time.Duration(r.Int64N(int64(3 * time.Hour)))
			switch r.IntN(3) {
			case 0:
				p = p.For(d + 1)
			case 1:
				p = p.To(r.Float64()*20000, d+1)
			default:
				p = p.Jump(float64(r.IntN(100))).For(d + 1)
			}
		}
		c := newCurve(p.unit, p.pieces())
		for range 8 {
			k := 1 + r.Int64N(max(c.total, 1))
			if c.total == 0 || k > c.total {
				continue
			}
			want, got := reference(p, k), c.at(float64(k))
			require.InDelta(t, want, got, 0, "%v: arrival %d of %d", p, k, c.total)
		}
	}
}

func TestArrivalsNeverGoBack(t *testing.T) {
	p := Rate(0).To(20000, 10*time.Second).For(time.Second).To(3, 10*time.Second)
	last := time.Duration(-1)
	require.NoError(t, p.Arrivals(nil, func(d time.Duration) bool {
		require.GreaterOrEqual(t, d, last)
		last = d
		return true
	}))
}

func TestDrawnGapsKeepTheRate(t *testing.T) {
	for _, g := range []Gaps{ExponentialGaps(), UniformGaps(0.5), ErlangGaps(4), HyperexponentialGaps(4)} {
		n := len(arrivalsOf(t, Rate(1000).For(100*time.Second).Gaps(g)))
		require.InDelta(t, 100_000, n, 4*2*math.Sqrt(100_000), g.name)
	}
}

func TestSineHasItsAreaAndShape(t *testing.T) {
	all := arrivalsOf(t, Sine(100, 50, time.Minute, 10*time.Minute))
	require.Len(t, all, 60_000)
	first := 0 // the first half of each wave has the more arrivals
	for _, d := range all {
		if d%time.Minute < 30*time.Second {
			first++
		}
	}
	require.InDelta(t, 30_000+10*50*60/math.Pi, first, 12)
}

func TestProfileErrors(t *testing.T) {
	tests := map[string]struct {
		profile Profile
		want    string
	}{
		"empty":           {Profile{}, "start with Rate, Users or Replay"},
		"no time":         {Rate(5), "lasts no time"},
		"negative":        {Rate(-1).For(time.Second), "Rate: -1 is not a number from 0"},
		"NaN":             {Rate(math.NaN()).For(time.Second), "Rate: NaN is not a number"},
		"infinite":        {Rate(math.Inf(1)).For(time.Second), "Rate: +Inf is not a number"},
		"no length":       {Rate(1).For(0), "want a positive duration"},
		"overflow":        {Rate(1e-9).For(math.MaxInt64).For(math.MaxInt64), "overflows"},
		"NaN target":      {Rate(1).To(math.NaN(), time.Second), "To: NaN"},
		"unit":            {RatePer(1, 0).For(time.Second), "unit: 0s is not positive"},
		"a year at 20k/s": {Rate(20_000).For(365 * 24 * time.Hour), "6.31e+11 arrivals in a run are more than"},
		"not one":         {Rate(0.1).For(time.Second), "not one arrival"},
		"speed":           {Rate(1).For(time.Second).Speed(2), "only a replay has a speed"},
		"gaps of users":   {Users(1).For(time.Second).Poisson(), "only a profile with a rate"},
		"each of a rate":  {Rate(1).For(time.Second).Each(1), "only users have a budget each"},
		"wave":            {Sine(1, 2, time.Second, time.Minute), "over the mean"},
		"no entries":      {Replay(nil), "there are no entries"},
		"amplify":         {Rate(1).For(time.Second).Amplify(0), "Amplify: 0"},
		"too many users":  {Users(10_000_000).For(time.Second), "users are more than"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) { require.ErrorContains(t, tt.profile.Err(), tt.want) })
	}
}

func TestProfilesFromOnePrefixDoNotShare(t *testing.T) {
	base := Rate(1).For(time.Second)
	a, b := base.To(5, time.Second), base.To(9, 2*time.Second)
	require.Equal(t, 2*time.Second, a.Duration())
	require.Equal(t, 3*time.Second, b.Duration())
	require.Equal(t, "1/s for 1s, 1/s to 5/s in 1s", a.String())
}

func TestUsersComeAndGo(t *testing.T) {
	collect := func(p Profile) (out []Change) {
		c := p.Changes()
		for x, ok := c.Next(); ok; x, ok = c.Next() {
			out = append(out, x)
		}
		return out
	}
	require.Equal(t, []Change{{500 * time.Millisecond, 1, true}, {1500 * time.Millisecond, 2, true},
		{2750 * time.Millisecond, 2, false}, {3250 * time.Millisecond, 1, false}},
		collect(Users(0).To(2, 2*time.Second).For(500*time.Millisecond).To(0, time.Second)),
		"2 s up, half a second at two, 1 s down: the levels 1.5 and 0.5 are at 2.75 s and 3.25 s")
}
