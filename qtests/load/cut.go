package load

import (
	"slices"
	"time"

	"github.com/go-qtests/qtests/qtests/event"
	"github.com/go-qtests/qtests/qtests/internal/bubble"
	"github.com/go-qtests/qtests/qtests/internal/inputs"
	"github.com/go-qtests/qtests/qtests/internal/tenancy"
)

// cut is the scenario as a search that cuts a failure down wants it: with fewer requests, fewer
// users, fewer and shorter events. made is to be told how many requests there were.
func (s Scenario) cut() (Scenario, func(n int64)) {
	here := tenancy.Here()
	if here == nil || here.Inputs == nil {
		return s, func(int64) {}
	}
	name := s.Name
	if name == "" {
		name = DefaultName
	}
	load, made := here.Inputs.Load(name)
	if load.Scale != 1 {
		s.Traffic = s.Traffic.Multiplied(load.Scale)
	}
	if budget, _ := s.Traffic.Limits(); load.Requests > 0 && (budget == 0 || budget > load.Requests) {
		s.Traffic = s.Traffic.Budget(int(load.Requests))
	}
	s.Events = cutEvents(here.Inputs, name, bubble.Age(s.Clock), s.Events)
	return s, made
}

// cutEvents are the events that are to happen, for as long as they are to last.
func cutEvents(set *inputs.Set, name string, start time.Duration, all []event.Event) []event.Event {
	if len(all) == 0 {
		return nil
	}
	own := make([]inputs.Fault, len(all))
	seen := map[string][]event.Event{}
	for i, e := range all {
		seen[e.Name] = append(seen[e.Name], e)
		own[i] = inputs.Fault{Name: e.Name, N: len(seen[e.Name]), At: e.Offset, For: e.Duration}
	}
	var left []event.Event
	for _, f := range set.Plan("load "+name, start, slices.Clone(own)) {
		if f.N <= len(seen[f.Name]) {
			left = append(left, seen[f.Name][f.N-1].At(f.At).For(f.For))
		}
	}
	return left
}
