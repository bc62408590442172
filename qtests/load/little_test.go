package load

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/load/result"
	"github.com/go-qtests/qtests/qtests/load/traffic"
)

// Little's law holds to the nanosecond on a run that ends empty: the integral of
// the requests under way, here taken from their starts and ends, is the time
// that they took.
func TestLittlesLawIsExact(t *testing.T) {
	for _, service := range []time.Duration{1400, 1500, 1_234_567, 20 * time.Millisecond} {
		for name, profile := range map[string]traffic.Profile{
			"open": traffic.Rate(700).For(2 * time.Second).Poisson(), "bursts": traffic.Bursts(50, 300*time.Millisecond).For(2 * time.Second),
			"closed": traffic.Users(3).To(9, time.Second).To(1, time.Second).Each(40),
		} {
			t.Run(fmt.Sprint(name, service), func(t *testing.T) {
				qtests.Run(t, func(q *qtests.T) {
					var lines bytes.Buffer
					s := Scenario{Traffic: profile, RequestLog: result.JSONRequestLog(&lines), Do: func(_ context.Context, u *User) error {
						q.Clock().Sleep(service/2 + time.Duration(u.Rand().Int64N(int64(service))))
						return nil
					}}
					if name != "closed" {
						s.MaxInFlight, s.Overflow = 20, Queue
					}
					res := resultOf(q, s)
					require.Equal(q, res.Started, res.Finished)
					changes := map[time.Duration]int64{}
					for line := range bytes.Lines(lines.Bytes()) {
						var x result.LoggedRequest
						require.NoError(q, json.Unmarshal(line, &x))
						changes[x.Started]++
						changes[x.Finished]--
					}
					require.Equal(q, integral(changes), int64(res.Busy))
					require.InEpsilon(q, float64(res.Busy), res.MeanInFlight*float64(res.Elapsed), 1e-12)
				})
			})
		}
	}
}

// integral adds up the level that the changes make over time.
func integral(changes map[time.Duration]int64) (area int64) {
	var at []time.Duration
	for x := range changes {
		at = append(at, x)
	}
	slices.Sort(at)
	level := int64(0)
	for i, x := range at {
		if i > 0 {
			area += level * int64(x-at[i-1])
		}
		level += changes[x]
	}
	return area
}
