package load

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/internal/share"
	"github.com/go-qtests/qtests/qtests/load/traffic"
)

// BenchmarkShare is a request of a part, which computes the schedule of eight, beside a request of a
// single run with an eighth of the rate. Both wait, start and record as in real time, and do nothing
// else: a request over a network costs some sixty times as much.
func BenchmarkShare(b *testing.B) {
	nothing := func(context.Context, *User) error { return nil }
	steps := []Step{{Name: "read", Weight: 4, Do: nothing}, {Name: "write", Weight: 2, Do: nothing}, {Name: "pay", Do: nothing}}
	for _, c := range []struct {
		name string
		gaps func(traffic.Profile) traffic.Profile
	}{{"even", func(p traffic.Profile) traffic.Profile { return p }}, {"poisson", traffic.Profile.Poisson}} {
		for _, n := range []int{1, 8} {
			b.Run(fmt.Sprintf("%s/%d", c.name, n), func(b *testing.B) {
				qtests.Bench(b, func(q *qtests.T) {
					rate := 1000.0
					d := time.Duration(float64(b.N) / rate * float64(time.Second))
					s := Scenario{Traffic: c.gaps(traffic.Rate(rate * float64(n)).For(max(d, time.Second))), Steps: steps, Clock: q.Clock()}
					s, err := s.withDefaults()
					require.NoError(q, err)
					r, err := newPart(context.Background(), s, part{Share: share.Share{Index: 1, Of: n}})
					require.NoError(q, err)
					_, err = r.execute()
					require.NoError(q, err)
				})
			})
		}
	}
}
