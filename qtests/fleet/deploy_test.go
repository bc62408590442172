package fleet_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/fleet"
	"github.com/go-qtests/qtests/qtests/fleet/rollout"
	"github.com/go-qtests/qtests/qtests/latency"
)

// sound is a life that loses nothing.
var sound = fleet.Life{
	StartUp: latency.Fixed(5 * time.Second), Readiness: fleet.Probe{Listening: true, Period: time.Second}, PreStop: 2 * time.Second,
}

// status is a version whose handler answers with a status.
func status(code int) func(*fleet.Instance) http.Handler {
	return func(*fleet.Instance) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(code) })
	}
}

func TestStrategiesLoseNothing(t *testing.T) {
	for name, by := range map[string]rollout.Strategy{
		"rolling":    rollout.Update{},
		"slowly":     rollout.Update{MinReady: 10 * time.Second, MaxSurge: rollout.Count(1), MaxUnavailable: rollout.Count(0)},
		"no surge":   rollout.Update{MaxSurge: rollout.Count(0), MaxUnavailable: rollout.Count(1)},
		"blue-green": rollout.BlueGreen{Keep: time.Minute},
		"canary":     rollout.Canary{Steps: []rollout.Step{{Share: 0.1, Pause: time.Minute}, {Share: 0.5, Pause: time.Minute}}, Analysis: rollout.Analysis{NoFailed: true}},
	} {
		t.Run(name, func(t *testing.T) {
			qtests.Run(t, func(q *qtests.T) {
				f := fleet.NewT(q, fleet.Config{New: hello(time.Second), Replicas: 4, Life: sound})
				q.Clock().AfterFunc(10*time.Second, f.Deploy(fleet.Release{Version: "v2"}, by).Begin)
				every(q, f.Client(), 50*time.Millisecond, 5*time.Minute)
				q.Sleep(time.Minute)
				f.RequireNothingLost(q)
				f.RequireDeployed(q, "v2")
				require.Len(q, f.Instances(), 4)
			})
		})
	}
}

func TestCanaryRollsBack(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		f := fleet.NewT(q, fleet.Config{New: hello(0), Replicas: 4, Life: sound})
		bad := fleet.Release{Version: "v2", New: status(500)}
		q.Clock().AfterFunc(time.Minute, f.Deploy(bad, rollout.Canary{Steps: []rollout.Step{{Share: 0.1, Pause: 5 * time.Minute}}, Analysis: rollout.Analysis{MaxFailed: 0.05}}).Begin)
		every(q, f.Client(), 20*time.Millisecond, 10*time.Minute)
		f.RequireRolledBack(q, "v2")
		f.RequireGoodput(q, 0.98)
		for _, i := range f.Instances() {
			require.Equal(q, "v1", i.Version())
		}
		x := f.Stats().Requests
		require.InDelta(q, 0.1*50*60, x.Failed, 80, "10% for a minute")
	})
}

// An update that never gets ready is stuck, in the end, and loses nothing meanwhile.
func TestUpdateThatNeverGetsReady(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		f := fleet.NewT(q, fleet.Config{New: hello(0), Replicas: 4, Life: sound})
		never := sound
		never.Readiness = fleet.Probe{Path: "/ready", Period: time.Second}
		f.Deploy(fleet.Release{Version: "v2", New: status(503), Life: &never}, rollout.Update{}).Begin()
		every(q, f.Client(), 100*time.Millisecond, 15*time.Minute)
		f.RequireNothingLost(q)
		last := f.Deployments()[0]
		require.Equal(q, rollout.Stuck, last.Phase)
		require.Contains(q, last.Reason, "0 of 4 available")
		require.False(q, last.Ended.IsZero())

		f.Scale(6) // the old ones go on
		q.Sleep(10 * time.Second)
		f.Deploy(fleet.Release{Version: "v3", New: hello(0)}, rollout.Update{}).Begin()
		q.Sleep(2 * time.Minute)
		f.RequireDeployed(q, "v3")
		require.Len(q, f.Instances(), 6)
	})
}

func TestDeployGivesUpTheOneBefore(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		f := fleet.NewT(q, fleet.Config{New: hello(0), Replicas: 4, Life: sound})
		f.Deploy(fleet.Release{Version: "v2"}, rollout.Update{}).Begin()
		q.Sleep(8 * time.Second)
		f.Deploy(fleet.Release{Version: "v3"}, rollout.Update{}).Begin()
		q.Sleep(2 * time.Minute)
		f.RequireDeployed(q, "v3")
		require.Equal(q, "v2: rolled back: given up for v3", f.Deployments()[0].String())
		require.Len(q, f.Instances(), 4)
	})
}

// The replicas change in the middle of an update.
func TestScaleDuringADeployment(t *testing.T) {
	for _, n := range []int{2, 9} {
		qtests.Run(t, func(q *qtests.T) {
			f := fleet.NewT(q, fleet.Config{New: hello(0), Replicas: 5, Life: sound})
			f.Deploy(fleet.Release{Version: "v2"}, rollout.Update{}).Begin()
			q.Clock().AfterFunc(8*time.Second, func() { f.Scale(n) })
			every(q, f.Client(), 50*time.Millisecond, 2*time.Minute)
			f.RequireDeployed(q, "v2")
			f.RequireNothingLost(q)
			require.Len(q, f.Instances(), n)
		})
	}
}

func TestBadDeployments(t *testing.T) {
	for want, do := range map[string]func(f *fleet.Fleet){
		`fleet fleet: Deploy: fleet: Release.Version: "" is no version`: func(f *fleet.Fleet) { f.Deploy(fleet.Release{}, rollout.Update{}) },
		"fleet fleet: Deploy: rollout: Canary.Steps: [] is empty":       func(f *fleet.Fleet) { f.Deploy(fleet.Release{Version: "v2"}, rollout.Canary{}) },
		"fleet fleet: Deploy: fleet: Config.Life.Grace: -1s is negative": func(f *fleet.Fleet) {
			f.Deploy(fleet.Release{Version: "v2", Life: &fleet.Life{Grace: -time.Second}}, rollout.Update{})
		},
		`fleet fleet: LoseZone("x"): there is no such zone; there are [""]`: func(f *fleet.Fleet) { f.LoseZone("x") },
		"fleet fleet: Slow(1): the factor is not above 1":                   func(f *fleet.Fleet) { f.Slow(fleet.Everyone(), 1) },
		"fleet fleet: Scale(-1): is not from 0 to 10000":                    func(f *fleet.Fleet) { f.Scale(-1) },
		"fleet: Plan.Every: 0s is not above 0":                              func(f *fleet.Fleet) { f.Faults(fleet.Plan{For: time.Hour}) },
	} {
		require.Equal(t, want, failure(t, func(q fleet.T) { do(fleet.NewT(q, fleet.Config{New: hello(0)})) }))
	}
}
