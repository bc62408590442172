package load

import (
	"context"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/internal/share"
	"github.com/go-qtests/qtests/qtests/load/traffic"
)

// BenchmarkShare runs in turn a part, which computes the schedule of eight, and a single run with an
// eighth of the rate, which makes as many requests. The median of what the part costs more is in
// percent of the single run. A request without a network is the least that a request can cost: over
// a network the same nanoseconds are a smaller share.
func BenchmarkShare(b *testing.B) {
	const requests, rate = 2000, 1000.0
	for _, c := range []struct {
		name string
		gaps func(traffic.Profile) traffic.Profile
	}{{"even", func(p traffic.Profile) traffic.Profile { return p }}, {"poisson", traffic.Profile.Poisson}} {
		b.Run(c.name, func(b *testing.B) {
			var single, part, more []float64 // the first two in nanoseconds a request
			qtests.Bench(b, func(q *qtests.T) {
				server := q.Serve(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok")) }))
				one := func(n int) float64 {
					s := Scenario{Traffic: c.gaps(traffic.Rate(rate * float64(n)).For(requests / rate * time.Second)), Clock: q.Clock()}
					return costOfShare(q, s, n, func(ctx context.Context, _ *User) error { return get(ctx, server) })
				}
				x, y := one(1), one(8)
				single, part, more = append(single, x), append(part, y), append(more, 100*(y/x-1))
			})
			b.ReportMetric(median(single), "ns/request-single")
			b.ReportMetric(median(part), "ns/request-part")
			b.ReportMetric(median(more), "%more")
		})
	}
}

// costOfShare is how many nanoseconds a request of part 1 of n takes.
func costOfShare(q *qtests.T, s Scenario, n int, do func(context.Context, *User) error) float64 {
	s.Steps = []Step{{Name: "read", Weight: 4, Do: do}, {Name: "write", Weight: 2, Do: do}, {Name: "pay", Do: do}}
	s, err := s.withDefaults()
	require.NoError(q, err)
	r, err := newPart(context.Background(), s, part{Share: share.Share{Index: 1, Of: n}})
	require.NoError(q, err)
	began := q.RealElapsed()
	res, err := r.execute()
	require.NoError(q, err)
	return float64(q.RealElapsed()-began) / float64(res.Finished)
}

func get(ctx context.Context, server *qtests.Server) error {
	req, err := http.NewRequestWithContext(ctx, "GET", server.URL, nil)
	if err != nil {
		return err
	}
	res, err := server.Client().Do(req)
	if err != nil {
		return err
	}
	return res.Body.Close()
}

func median(all []float64) float64 {
	slices.Sort(all)
	return all[len(all)/2]
}
