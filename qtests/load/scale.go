package load

import (
	"flag"
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/benbjohnson/clock"

	"github.com/go-qtests/qtests/qtests/event"
	"github.com/go-qtests/qtests/qtests/internal/bubble"
	"github.com/go-qtests/qtests/qtests/internal/stacks"
	"github.com/go-qtests/qtests/qtests/load/threshold"
	"github.com/go-qtests/qtests/qtests/load/traffic"
)

const (
	scaleFlag = "qtests.scale"
	scaleEnv  = "QTESTS_SCALE"
	// shortScale is the scale of go test -short.
	shortScale = 0.1
)

// scaleSetting holds what -qtests.scale said. It wins over QTESTS_SCALE, and
// that over -short.
var scaleSetting scaleValue

// A scaleValue is the flag's text.
type scaleValue string

func (v *scaleValue) String() string { return string(*v) }

// Get makes it a flag.Getter. It returns the scale of this process, whatever set it, for code that
// prints the command which repeats a run.
func (v *scaleValue) Get() any { return scaleOf() }

func (v *scaleValue) Set(s string) error {
	if _, err := parseScale(s); err != nil {
		return err
	}
	*v = scaleValue(s)
	return nil
}

func init() {
	if testing.Testing() { // a program keeps its own command line
		flag.Var(&scaleSetting, scaleFlag, "multiplies the load of scenarios, over 0; 0.1 under -short (variable "+scaleEnv+")")
	}
}

func parseScale(s string) (float64, error) {
	x, err := strconv.ParseFloat(s, 64)
	if err != nil || !(x > 0) || math.IsInf(x, 1) {
		return 0, fmt.Errorf("%q is not a finite number over 0", s)
	}
	return x, nil
}

// environmentScale reads the variable once. A wrong one ends the process, as a wrong flag does: all
// runs would have a scale that was not asked for.
var environmentScale = sync.OnceValue(func() float64 {
	s := os.Getenv(scaleEnv)
	if s == "" {
		return 0
	}
	x, err := parseScale(s)
	if err != nil {
		fmt.Fprintf(os.Stderr, "load: %s: %v\n", scaleEnv, err)
		os.Exit(2)
	}
	return x
})

// scaleOf is the scale of this process: 1 unless the flag, the variable or
// -short says otherwise.
func scaleOf() float64 {
	if scaleSetting != "" {
		x, _ := parseScale(string(scaleSetting)) // Set has checked it
		return x
	}
	if x := environmentScale(); x != 0 {
		return x
	}
	if testing.Testing() && testing.Short() {
		return shortScale
	}
	return 1
}

// isReal reports whether a run that starts here on c takes real time: nothing fakes it,
// neither a bubble around the caller nor a clock that is stepped by hand. The type of the
// clock says nothing more, because the real one may be wrapped.
func isReal(c clock.Clock) bool {
	_, mock := c.(*clock.Mock)
	return !mock && !bubble.TieFree(c) && !stacks.InBubble()
}

// scaledBy applies a scale. Under a fake clock it multiplies arrivals and users, and moves no instant,
// so that the run of the system under test keeps its shape. In real time, where waiting costs most, it
// shortens a scenario that allows it, its events, and the windows and delays of its thresholds. Budgets
// change in proportion. One request at least remains: a scale that would leave none is raised.
func (s Scenario) scaledBy(x float64) Scenario {
	real := isReal(s.Clock)
	if x == 1 || real && !s.Scalable || s.Traffic.Err() != nil {
		return s
	}
	if !real {
		s.Traffic = s.Traffic.Multiplied(x)
		return s
	}
	s.Traffic, x = s.Traffic.Shortened(x)
	events := append([]event.Event(nil), s.Events...)
	for i := range events {
		events[i].Offset = traffic.Divide(events[i].Offset, 1/x)
		events[i].Duration = traffic.Divide(events[i].Duration, 1/x)
	}
	s.Events = events
	s.scaleThresholds(x)
	return s
}

// scaleThresholds keeps the windows and delays of thresholds in proportion to the run. What they
// compare stays as it is. Their text says what they are now. A threshold that cannot be read stays, and
// the run reports it.
func (s *Scenario) scaleThresholds(x float64) {
	s.Thresholds, s.Limits = slices.Clone(s.Thresholds), slices.Clone(s.Limits)
	for i, text := range s.Thresholds {
		all, err := threshold.ParseAll(text)
		if err != nil || all[0].Every+all[0].AbortAfter == 0 {
			continue
		}
		for k := range all {
			all[k] = stretched(all[k], x)
		}
		s.Thresholds[i] = threshold.Join(all...)
	}
	for i, t := range s.Limits {
		s.Limits[i] = stretched(t, x)
	}
}

// stretched makes the windows and the delay of a threshold x times as long.
func stretched(t threshold.Threshold, x float64) threshold.Threshold {
	for _, d := range []*time.Duration{&t.Every, &t.AbortAfter} {
		if *d > 0 {
			*d = max(traffic.Divide(*d, 1/x), 1)
		}
	}
	return t
}

// scaleOf is the scale at which the scenario will run: 1 where nothing is scaled.
func (s *Scenario) scaleOf() float64 {
	if isReal(s.Clock) && !s.Scalable {
		return 1
	}
	return scaleOf()
}
