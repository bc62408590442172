package traffic

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/load/accesslog"
)

// strideProfiles are profiles of every kind, with rates that do not divide and stages of no length.
func strideProfiles() map[string]Profile {
	origin := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var entries []accesslog.Entry
	for i := range 500 {
		entries = append(entries, accesslog.Entry{At: origin.Add(time.Duration(i*i) * time.Millisecond), Path: fmt.Sprint(i)})
	}
	return map[string]Profile{
		"even":                Rate(50).For(5 * time.Second),
		"does not divide":     Rate(7.3).For(1100*time.Millisecond).To(91.7, 3*time.Second),
		"ramps":               Rate(0).To(100, 3*time.Second).For(time.Second).To(0, 2*time.Second).To(3, 10*time.Second),
		"jump":                Rate(10).For(time.Second).Jump(200).For(time.Second).Jump(1).For(3 * time.Second),
		"nearly no length":    Rate(1000).For(time.Nanosecond).For(time.Second).To(1, time.Nanosecond).To(50, time.Second),
		"sine":                Sine(40, 40, time.Second, 3*time.Second),
		"poisson":             Rate(80).For(3 * time.Second).Poisson(),
		"uniform":             Rate(80).To(0, 3*time.Second).Gaps(UniformGaps(0.5)),
		"bursts":              Bursts(7, 300*time.Millisecond).For(2 * time.Second),
		"bursts of one":       Bursts(1, 100*time.Millisecond).For(2 * time.Second),
		"replay":              Replay(entries),
		"replay, amplified":   Replay(entries).Amplify(1.7),
		"budget":              Rate(50).For(5 * time.Second).Budget(101),
		"budget of bursts":    Bursts(10, time.Second).For(10 * time.Second).Budget(33),
		"one":                 Rate(1).For(time.Second),
		"a budget never used": Rate(5).For(2 * time.Second).Budget(1000),
	}
}

// TestStridesMakeTheWhole: for any profile and any number of parts, each arrival is in one part, at its
// instant, and what a part says is arrival k is arrival k.
func TestStridesMakeTheWhole(t *testing.T) {
	for name, p := range strideProfiles() {
		t.Run(name, func(t *testing.T) {
			require.NoError(t, p.Err())
			gaps := func() *rand.Rand { return rand.New(rand.NewPCG(3, 4)) }
			var whole []Arrival
			for src := p.Source(gaps()); ; {
				a, ok := src.Next()
				if !ok {
					break
				}
				whole = append(whole, a)
			}
			require.NotEmpty(t, whole)
			for _, n := range []int{1, 2, 3, 7, 8, 13, 1000} {
				union, parts := make([]Arrival, len(whole)), 0
				for i := range n {
					src := Strided(p.Source(gaps()), int64(i+1), int64(n))
					for k := i; ; k += n {
						a, ok := src.Next()
						if !ok {
							break
						}
						require.Less(t, k, len(whole), "part %d of %d", i+1, n)
						union[k] = a
						parts++
					}
					_, again := src.Next()
					require.False(t, again, "it has ended")
					require.NoError(t, src.Err())
				}
				require.Equal(t, len(whole), parts, "%d parts", n)
				require.Equal(t, whole, union, "%d parts", n)
			}
		})
	}
}

// TestStrideCostsNoArrivals: a part of a thousand computes a thousandth of even arrivals.
func TestStrideCostsNoArrivals(t *testing.T) {
	src := Strided(Rate(1e6).For(time.Hour).Source(nil), 1000, 3_600_000)
	n := 0
	for {
		if _, ok := src.Next(); !ok {
			break
		}
		n++
	}
	require.Equal(t, 1000, n, "of 3.6e9")
}

func BenchmarkStride(b *testing.B) {
	for _, c := range []struct {
		name string
		p    Profile
	}{{"even", Rate(1e6).For(24 * time.Hour)}, {"poisson", Rate(1e6).For(24 * time.Hour).Poisson()}} {
		for _, n := range []int64{1, 8} {
			b.Run(fmt.Sprintf("%s/%d", c.name, n), func(b *testing.B) {
				src := Strided(c.p.Source(rand.New(rand.NewPCG(1, 1))), 1, n)
				for b.Loop() {
					src.Next()
				}
			})
		}
	}
}
