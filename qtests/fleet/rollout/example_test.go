package rollout_test

import (
	"fmt"
	"time"

	"github.com/go-qtests/qtests/qtests/fleet/rollout"
)

// A rolling update of three instances. Each is available a minute after it was started.
func Example() {
	now := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	r, err := rollout.Update{MaxSurge: rollout.Count(1), MaxUnavailable: rollout.Count(0)}.Begin(now)
	if err != nil {
		fmt.Println(err)
		return
	}
	s := rollout.State{Now: now, Wanted: 3, Old: rollout.Group{Instances: 3, Available: 3}}
	for {
		a := r.Next(s)
		fmt.Printf("%d old, %d new: %v, %s\n", a.Old, a.New, a.Phase, a.Reason)
		if a.Phase.Final() {
			return
		}
		s.Now = s.Now.Add(time.Minute)
		s.Old = rollout.Group{Instances: a.Old, Available: a.Old}
		s.New = rollout.Group{Instances: a.New, Available: a.New}
	}
	// Output:
	// 3 old, 1 new: progressing, 0 of 3 available
	// 2 old, 1 new: progressing, 1 of 3 available
	// 2 old, 2 new: progressing, 1 of 3 available
	// 1 old, 2 new: progressing, 2 of 3 available
	// 1 old, 3 new: progressing, 2 of 3 available
	// 0 old, 3 new: progressing, 3 of 3 available
	// 0 old, 3 new: complete, 3 of 3 available
}
