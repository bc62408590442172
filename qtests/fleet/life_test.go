package fleet_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/event"
	"github.com/go-qtests/qtests/qtests/fleet"
	"github.com/go-qtests/qtests/qtests/fleet/rollout"
	"github.com/go-qtests/qtests/qtests/latency"
)

// What is under way breaks off, what comes meanwhile is refused, and the process starts again.
func TestCrash(t *testing.T) {
	both(t, func(q *qtests.T, wire bool) {
		stopped := 0
		f := fleet.NewT(q, fleet.Config{Wire: wire, Life: fleet.Life{StartUp: latency.Fixed(3 * time.Second), NoEndpointLag: true}, New: func(i *fleet.Instance) http.Handler {
			i.OnStop(func() { stopped++ })
			return hello(500 * time.Millisecond)(i)
		}})
		stop, err := event.Schedule(q.Context(), q.Clock(), q.EventLog(), f.Crash(fleet.Everyone()).At(10*time.Second+100*time.Millisecond))
		require.NoError(q, err)
		every(q, f.Client(), 250*time.Millisecond, 20*time.Second)
		q.Sleep(time.Second)
		require.NoError(q, stop())
		x := f.Stats()
		require.Equal(q, 2, x.Instances[0].Starts)
		require.Equal(q, 1, stopped)
		require.Equal(q, map[string]uint64{"broken off": 2, "not listening": 12}, x.Why)
		require.True(q, x.Requests.Balanced())
		require.Equal(q, uint64(80-14), x.Requests.Answered)
	})
}

// The back-off of Kubernetes: at once, 10 s, 20 s, 40 s.
func TestCrashLoop(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		var starts []time.Duration
		var f *fleet.Fleet
		f = fleet.NewT(q, fleet.Config{ColdStart: true, New: func(i *fleet.Instance) http.Handler {
			starts = append(starts, q.Elapsed().Round(time.Second))
			q.Clock().AfterFunc(time.Millisecond, func() { f.Crash(fleet.Everyone()).Begin() })
			return hello(0)(i)
		}})
		q.Sleep(3 * time.Minute)
		require.Equal(q, []time.Duration{0, 0, 10 * time.Second, 30 * time.Second, 70 * time.Second, 150 * time.Second}, starts)
	})
}

func TestHangAndSlow(t *testing.T) {
	both(t, func(q *qtests.T, wire bool) {
		f := fleet.NewT(q, fleet.Config{New: hello(100 * time.Millisecond), Wire: wire})
		took := func() time.Duration {
			began := q.Elapsed()
			_, _, err := get(f.Client(), "/")
			require.NoError(q, err)
			return (q.Elapsed() - began).Round(time.Millisecond)
		}
		hang, slow := f.Hang(fleet.Named("fleet-1")), f.Slow(fleet.Everyone(), 3)
		hang.Begin()
		q.Clock().AfterFunc(5*time.Second, hang.End)
		require.Equal(q, 5100*time.Millisecond, took())
		slow.Begin()
		require.Equal(q, 300*time.Millisecond, took())
		slow.End()
		require.Equal(q, 100*time.Millisecond, took())
		f.RequireNothingLost(q)
	})
}

func TestScaleDownWithoutPreStopLosesRequests(t *testing.T) {
	for _, tc := range []struct {
		name string
		life fleet.Life
		lost bool
	}{
		{"the balancer knows too late", fleet.Life{}, true},
		{"it waits for the balancer", fleet.Life{PreStop: 2 * time.Second}, false},
		{"it dies of SIGTERM", fleet.Life{PreStop: 1100 * time.Millisecond, DiesOnTerm: true}, true},
		{"its grace is over", fleet.Life{PreStop: 2 * time.Second, Grace: 2 * time.Second}, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			qtests.Run(t, func(q *qtests.T) {
				f := fleet.NewT(q, fleet.Config{New: hello(3 * time.Second), Replicas: 4, Life: tc.life})
				q.Clock().AfterFunc(5*time.Second+50*time.Millisecond, func() { f.Scale(2) })
				every(q, f.Client(), 100*time.Millisecond, 20*time.Second)
				q.Sleep(10 * time.Second)
				require.Equal(q, tc.lost, f.Stats().Requests.Lost() > 0, "%v", f.Stats())
				require.Len(q, f.Instances(), 2)
				require.Equal(q, []string{"fleet-1", "fleet-2"}, []string{f.Instances()[0].Name(), f.Instances()[1].Name()}, "the youngest go first")
			})
		})
	}
}

// Readiness that is not asked for is taken for granted.
func TestReadiness(t *testing.T) {
	for _, tc := range []struct {
		name  string
		probe fleet.Probe
		lost  bool
	}{
		{"no probe", fleet.Probe{}, true},
		{"a probe of the port", fleet.Probe{Listening: true, Period: time.Second}, true},
		{"a probe of what answers", fleet.Probe{Path: "/ready", Period: time.Second}, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			qtests.Run(t, func(q *qtests.T) {
				made := func(i *fleet.Instance) http.Handler {
					warm := q.Elapsed() + 20*time.Second
					return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
						if q.Elapsed() > time.Minute && q.Elapsed() < warm { // the first ones are warm
							http.Error(w, "warming up", http.StatusServiceUnavailable)
						}
					})
				}
				f := fleet.NewT(q, fleet.Config{New: made, Replicas: 3, Life: fleet.Life{
					StartUp: latency.Fixed(10 * time.Second), Readiness: tc.probe, PreStop: 2 * time.Second,
				}})
				q.Sleep(time.Minute)
				deploy := f.Deploy(fleet.Release{Version: "v2"}, rollout.Update{})
				deploy.Begin()
				every(q, f.Client(), 100*time.Millisecond, 3*time.Minute)
				f.RequireDeployed(q, "v2")
				require.Equal(q, tc.lost, f.Stats().Requests.Lost() > 0, "%v", f.Stats())
				for _, i := range f.Instances() {
					require.Equal(q, "v2", i.Version())
				}
			})
		})
	}
}

func TestLiveness(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		f := fleet.NewT(q, fleet.Config{New: hello(0), Life: fleet.Life{Liveness: fleet.Probe{Path: "/"}}})
		hang := f.Hang(fleet.Everyone())
		q.Sleep(5 * time.Second)
		hang.Begin()
		q.Sleep(31 * time.Second)
		require.Equal(q, 2, f.Instances()[0].Starts(), "three probes of 10 s")
		hang.End()
		q.Sleep(time.Minute)
		require.Equal(q, 2, f.Instances()[0].Starts())
	})
}

// A lost zone: its instances time out until the node controller has noticed, are replaced after five minutes, and
// the ones that are left come back.
func TestLoseZone(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		f := fleet.NewT(q, fleet.Config{New: hello(0), Replicas: 4, Zones: []string{"a", "b"}})
		zones := func() (all string) {
			for _, i := range f.Instances() {
				all += i.Zone()
			}
			return all
		}
		lose := f.LoseZone("a")
		lose.Begin()
		began := q.Elapsed()
		_, _, err := get(f.Client(), "/")
		require.ErrorContains(q, err, "i/o timeout")
		require.Equal(q, fleet.DefaultConnectTimeout, q.Elapsed()-began)
		q.Sleep(42 * time.Second)
		for range 4 {
			_, _, err = get(f.Client(), "/")
			require.NoError(q, err, "the balancer knows")
		}
		require.Equal(q, "abab", zones())
		q.Sleep(5 * time.Minute)
		require.Equal(q, "bbbb", zones())
		lose.End()
		f.Scale(6)
		require.Equal(q, "bbbbaa", zones())
		q.Sleep(2 * time.Second)
		for range 6 {
			_, _, err = get(f.Client(), "/")
			require.NoError(q, err)
		}
	})
}

func TestZoneComesBack(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		f := fleet.NewT(q, fleet.Config{New: hello(0), Replicas: 2, Zones: []string{"a", "b"}})
		lose := f.LoseZone("a")
		lose.Begin()
		q.Sleep(time.Minute)
		lose.End()
		q.Sleep(5 * time.Second)
		require.Equal(q, 2, f.Instances()[0].Starts())
		for range 4 {
			_, _, err := get(f.Client(), "/")
			require.NoError(q, err)
		}
		require.Equal(q, uint64(2), f.Stats().Instances[0].Attempts.Answered)
	})
}
