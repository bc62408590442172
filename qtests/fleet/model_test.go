package fleet_test

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/event"
	"github.com/go-qtests/qtests/qtests/fleet"
	"github.com/go-qtests/qtests/qtests/fleet/rollout"
	"github.com/go-qtests/qtests/qtests/fleet/route"
	"github.com/go-qtests/qtests/qtests/internal/stress"
	"github.com/go-qtests/qtests/qtests/latency"
)

// moody is a handler that answers well, late, with an error, in halves, or not at all.
func moody(i *fleet.Instance) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/slow":
			select {
			case <-r.Context().Done():
			case <-i.Clock().After(3 * time.Second):
			}
		case "/503":
			w.WriteHeader(503)
		case "/500":
			w.WriteHeader(500)
		case "/half":
			w.Header().Set("Content-Length", "10")
			_, _ = io.WriteString(w, "half")
		case "/abort":
			panic(http.ErrAbortHandler)
		default:
			i.Clock().Sleep(30 * time.Millisecond)
			_, _ = io.WriteString(w, "whole")
		}
	})
}

// anything is a fleet with drawn settings.
func anything(q *qtests.T, r *rand.Rand, wire bool) *fleet.Fleet {
	cfg := fleet.Config{
		New: moody, Wire: wire, Replicas: 1 + r.IntN(5), Zones: []string{"a", "b", "c"}[:1+r.IntN(3)], ConnectTimeout: 700 * time.Millisecond,
		Policy:   []route.Policy{route.RoundRobin, route.Random, route.PowerOfTwo, route.LeastRequests, route.PeakEWMA(0)}[r.IntN(5)],
		Capacity: fleet.Capacity{Concurrency: r.IntN(4), CPU: latency.Exponential(20 * time.Millisecond)},
		Life:     fleet.Life{StartUp: latency.Fixed(time.Duration(r.IntN(5)) * time.Second), Grace: 5 * time.Second, DiesOnTerm: r.IntN(4) == 0, NodeNotice: 3 * time.Second, Eviction: 5 * time.Second},
	}
	if r.IntN(2) == 0 {
		cfg.Life.Readiness, cfg.Life.PreStop = fleet.Probe{Listening: true, Period: time.Second}, 2*time.Second
	}
	if r.IntN(2) == 0 {
		cfg.Outliers = &route.Outliers{}
	}
	if r.IntN(2) == 0 {
		cfg.Retry = fleet.Retry{Max: 1 + r.IntN(2), PerTry: time.Duration(r.IntN(2)) * time.Second}
	}
	if r.IntN(2) == 0 {
		cfg.Hedge = fleet.Hedge{After: 100 * time.Millisecond}
	}
	if cfg.Capacity.Concurrency > 0 {
		cfg.Capacity.MaxQueue = 1 + r.IntN(4)
	}
	return fleet.NewT(q, cfg)
}

// anyFault is something that happens to f, and for how long.
func anyFault(f *fleet.Fleet, r *rand.Rand, n int) event.Event {
	who := []fleet.Selector{fleet.Some(1), fleet.Everyone(), fleet.Some(2)}[r.IntN(3)]
	zone := f.Instances()
	switch r.IntN(9) {
	case 0:
		return f.Crash(who)
	case 1:
		return f.Hang(who)
	case 2:
		return f.Slow(who, 4)
	case 3:
		return f.Restart(who)
	case 4:
		return f.Drain(who)
	case 5:
		if len(zone) > 0 {
			return f.LoseZone(zone[r.IntN(len(zone))].Zone())
		}
		return f.Crash(who)
	case 6:
		return f.Deploy(fleet.Release{Version: fmt.Sprint("next ", n)}, rollout.Update{Deadline: 20 * time.Second})
	case 7:
		return f.Deploy(fleet.Release{Version: fmt.Sprint("next ", n)}, rollout.BlueGreen{Deadline: 20 * time.Second})
	}
	replicas := r.IntN(6)
	return event.New("scale", func() { f.Scale(replicas) }, nil)
}

// Whatever happens to a fleet, at every instant each request is answered, refused, failed or under way, and each attempt, for every instance; in the
// end nothing is under way.
func TestEveryRequestIsCountedUnderEveryFault(t *testing.T) {
	for seed := range uint64(8 * stress.Factor(t)) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			qtests.Run(t, func(q *qtests.T) {
				r := rand.New(rand.NewPCG(seed, 7))
				f := anything(q, r, seed%4 == 3)
				sent := 0
				ask := func(path string, patience time.Duration) {
					ctx, cancel := q.Clock().WithTimeout(q.Context(), patience)
					defer cancel()
					req, err := http.NewRequestWithContext(ctx, "GET", "http://fleet"+path, nil)
					require.NoError(q, err)
					if resp, err := f.Client().Do(req); err == nil {
						_, _ = io.Copy(io.Discard, resp.Body)
						_ = resp.Body.Close()
					}
				}
				for n := range 25 {
					e := anyFault(f, r, n)
					ctx, cancel := context.WithCancel(q.Context())
					stop, err := event.Schedule(ctx, q.Clock(), q.EventLog(), e.At(0).For(time.Duration(1+r.IntN(6))*time.Second))
					require.NoError(q, err)
					for range 30 {
						path := []string{"/", "/", "/", "/slow", "/503", "/500", "/half", "/abort"}[r.IntN(8)]
						patience := time.Duration(1+r.IntN(4000)) * time.Millisecond
						sent++
						q.Go(func() { ask(path, patience) })
						q.Sleep(time.Duration(r.IntN(100)) * time.Millisecond)
					}
					held(q, f, false)
					q.Sleep(time.Duration(r.IntN(4)) * time.Second)
					require.NoError(q, stop())
					cancel()
				}
				q.Sleep(time.Minute)
				held(q, f, true)
				require.EqualValues(q, sent, f.Stats().Requests.Offered)
			})
		})
	}
}

// held holds all counts of a fleet together.
func held(q *qtests.T, f *fleet.Fleet, still bool) {
	x := f.Stats()
	require.True(q, x.Requests.Balanced(), "%v", x)
	made, lost := x.Attempts.First+x.Attempts.Retries+x.Attempts.Hedges, uint64(0)
	offered := x.Attempts.NoInstance + x.Older.Offered
	for _, i := range x.Instances {
		require.True(q, i.Attempts.Balanced(), "%s: %v", i.Name, i.Attempts)
		offered += i.Attempts.Offered
		why := uint64(0)
		for _, n := range i.Why {
			why += n
		}
		require.Equal(q, i.Attempts.Lost(), why, "%s: %v", i.Name, i.Why)
		if still {
			require.Zero(q, i.Attempts.InFlight, "%s\n%v", i.Name, x)
		}
	}
	for _, n := range x.Why {
		lost += n
	}
	require.Equal(q, made, offered, "%v", x)
	require.Equal(q, x.Requests.Offered, x.Attempts.First, "%v", x)
	require.Equal(q, x.Requests.Lost(), lost, "%v", x)
	if still {
		require.Zero(q, x.Requests.InFlight, "%v", x)
	}
}
