package rollout

import "math"

// spread is what becomes of both groups when the number of replicas that are wanted changes from before to s.Wanted in the middle of a rolling
// update: the proportional scaling of a Kubernetes Deployment (pkg/controller/deployment/sync.go). Where as many are to be as are, nothing changes. With instances in one group alone, that group
// gets all. Otherwise wanted + maxSurge instances are shared out as they are now, each group rounded to the nearest; what rounding
// leaves goes to the larger group, and of two alike to the new one when there are to be more, and to the old one when fewer.
func (u Update) spread(s State, before int) (old, fresh int) {
	switch {
	case s.Old.Instances == 0 && s.New.Instances == 0, s.Wanted == 0:
		return 0, 0
	case s.New.Instances == 0:
		return s.Wanted, 0
	case s.Old.Instances == 0:
		return 0, s.Wanted
	}
	surge, _ := u.bounds(s.Wanted)
	surgeBefore, _ := u.bounds(before)
	most, mostBefore := s.Wanted+surge, before+surgeBefore
	add := most - s.Old.Instances - s.New.Instances
	if add == 0 {
		return s.Old.Instances, s.New.Instances
	}
	oldFirst := s.Old.Instances > s.New.Instances || s.Old.Instances == s.New.Instances && add < 0
	first, second := s.New.Instances, s.Old.Instances
	if oldFirst {
		first, second = second, first
	}
	part := func(n, left int) int {
		change := int(math.Round(float64(n*most)/float64(max(mostBefore, 1)))) - n
		if add > 0 {
			return min(change, left)
		}
		return max(change, left)
	}
	forFirst := part(first, add)
	forSecond := part(second, add-forFirst)
	first, second = max(0, first+add-forSecond), max(0, second+forSecond)
	if oldFirst {
		return first, second
	}
	return second, first
}
