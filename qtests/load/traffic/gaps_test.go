package traffic

import (
	"errors"
	"math"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/internal/usercode"
	"github.com/go-qtests/qtests/qtests/load/accesslog"
)

// TestGapsHaveTheirMeanAndVariance: a tenth of either would be five to twenty
// standard errors.
func TestGapsHaveTheirMeanAndVariance(t *testing.T) {
	const n = 200_000
	for _, tt := range []struct {
		gaps Gaps
		cv2  float64
	}{
		{ExponentialGaps(), 1},
		{UniformGaps(1), 1.0 / 3},
		{UniformGaps(0.3), 0.09 / 3},
		{ErlangGaps(1), 1},
		{ErlangGaps(4), 0.25},
		{HyperexponentialGaps(4), 4},
		{HyperexponentialGaps(1.5), 1.5},
		{GapsFunc("twos and zeros", func(r *rand.Rand) float64 { return float64(2 * r.IntN(2)) }), 1},
	} {
		require.NoError(t, tt.gaps.err)
		r := rand.New(rand.NewPCG(3, 4))
		var sum, squares float64
		for range n {
			x := tt.gaps.draw(r)
			if x < 0 {
				t.Fatalf("%s: %v", tt.gaps.name, x)
			}
			sum, squares = sum+x, squares+x*x
		}
		mean := sum / n
		require.InDelta(t, 1, mean, 5*math.Sqrt(tt.cv2/n), tt.gaps.name)
		require.InEpsilon(t, tt.cv2, squares/n-mean*mean, 0.1, tt.gaps.name)
	}
}

func TestGapsFuncDropsWhatIsNoGap(t *testing.T) {
	for _, x := range []float64{math.NaN(), -1, math.Inf(1), math.Inf(-1)} {
		odd := true
		g := GapsFunc("odd", func(*rand.Rand) float64 {
			if odd = !odd; odd {
				return x
			}
			return 1
		})
		require.Equal(t, []time.Duration{1e9, 1e9, 2e9, 2e9}, arrivalsOf(t, Rate(1).For(2*time.Second+1).Gaps(g)), "%v", x)
	}
	require.ErrorContains(t, Rate(1).For(time.Second).Gaps(GapsFunc("none", nil)).Err(), `GapsFunc("none"): draw is nil`)
}

func TestGapsThatLetNoTimePassAreAnError(t *testing.T) {
	n := 0
	count := func(time.Duration) bool { n++; return true }
	for _, x := range []float64{0, math.NaN(), 1e-300} {
		n = 0
		p := Rate(1).For(time.Second).Gaps(GapsFunc("still", func(*rand.Rand) float64 { return x }))
		require.EqualError(t, p.Arrivals(nil, count), `load: GapsFunc("still"): more than 1,000,000 arrivals at 0s: its gaps have to have mean 1`)
		require.Equal(t, maxTogether, n)
	}
	// As many at one instant as are allowed, and then again.
	i := 0
	p := Rate(1).For(2*time.Second + 1).Gaps(GapsFunc("bursts", func(*rand.Rand) float64 {
		i++
		if i%maxTogether == 1 {
			return 1
		}
		return 0
	}))
	n = 0
	require.NoError(t, p.Arrivals(nil, count))
	require.Equal(t, 2*maxTogether, n)
}

func TestGapsThatPanicAreAnError(t *testing.T) {
	calls := 0
	bad := func(fail func()) Source {
		calls = 0
		return Rate(1).For(time.Hour).Gaps(GapsFunc("mine", func(*rand.Rand) float64 {
			if calls++; calls > 2 {
				fail()
			}
			return 1
		})).Budget(10).Source(nil)
	}
	src := bad(func() { panic("boom") })
	for range 2 {
		_, ok := src.Next()
		require.True(t, ok)
	}
	for range 2 {
		_, ok := src.Next()
		require.False(t, ok)
		require.EqualError(t, src.Err(), "load: mine gaps: panic: boom")
	}
	require.Equal(t, 3, calls, "nothing is drawn after an error")
	var value *usercode.PanicError
	require.True(t, errors.As(src.Err(), &value))
	require.Contains(t, string(value.Stack), "gaps_test.go")

	src = bad(runtime.Goexit)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			src.Next()
		}
	}()
	<-done
	require.ErrorContains(t, src.Err(), "load: mine gaps: goexit")
	_, ok := src.Next()
	require.False(t, ok)
}

func TestSourcesThatEndHaveNoError(t *testing.T) {
	for _, p := range []Profile{
		Rate(1).For(time.Second), Rate(1).For(time.Second).Budget(1), Rate(5).For(time.Second).Poisson(),
		Bursts(1, time.Second).For(time.Second), Replay([]accesslog.Entry{{At: instant(0)}}),
	} {
		src := p.Source(rand.New(rand.NewPCG(1, 1)))
		for _, ok := src.Next(); ok; {
			_, ok = src.Next()
		}
		require.NoError(t, src.Err())
	}
}
