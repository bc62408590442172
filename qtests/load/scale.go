package load

import (
	"flag"
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/benbjohnson/clock"

	"github.com/go-qtests/qtests/qtests"
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

// Get makes it a flag.Getter: the scale of this process, whatever set it, for who
// prints the command that repeats a run.
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

// environmentScale reads the variable once; one without meaning ends the process, as a
// flag does: every result would carry a scale nobody asked for.
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

// scaledBy applies a scale. Under a fake clock it multiplies arrivals and users,
// never an instant: what the system under test goes through keeps its shape. In
// real time, where waiting is what costs, it shortens a scenario that allows
// it, and with it its events and the windows and delays of its thresholds.
// Budgets change in proportion, and one request at least remains: a scale that
// would leave none is raised to that.
func (s Scenario) scaledBy(x float64) Scenario {
	real := isReal(s.Clock)
	if x == 1 || real && !s.Scalable || s.Profile.Err() != nil {
		return s
	}
	if !real {
		x = s.Profile.enough(x, Profile.multiplied)
		s.Profile = s.Profile.multiplied(x)
		return s
	}
	x = s.Profile.enough(x, Profile.stretch)
	s.Profile = s.Profile.stretch(x)
	events := append([]qtests.Event(nil), s.Events...)
	for i := range events {
		events[i].Offset = shrink(events[i].Offset, 1/x)
		events[i].Duration = shrink(events[i].Duration, 1/x)
	}
	s.Events = events
	s.scaleThresholds(x)
	return s
}

// enough returns x, or the least factor above it, up to 1, that makes the area
// under the rate 1: the one arrival is then at the end of the area. For drawn gaps
// that is one arrival on average, and source sees to it that it comes.
func (p Profile) enough(x float64, apply func(Profile, float64) Profile) float64 {
	if x >= 1 || p.kind != kindOpen || p.bursts != nil || apply(p, x).arrives() {
		return x
	}
	x = max(x, min(1/p.expected(), 1))
	// The rounding of rates or durations may still leave less than one.
	for more := 0x1p-52; x < 1 && !apply(p, x).arrives(); more *= 2 {
		x = min(x*(1+more), 1)
	}
	return x
}

// multiplied is Amplify for a scale.
func (p Profile) multiplied(x float64) Profile {
	p.least = p.kind == kindOpen && p.expected() >= 1
	p.budget = share(p.budget, x)
	return p.Amplify(x)
}

// share is the part of a budget, at least one request; none stays none.
func share(budget int64, x float64) int64 {
	if budget == 0 {
		return 0
	}
	return int64(min(max(math.Round(float64(budget)*x), 1), 1<<62))
}

// scaleThresholds keeps the windows of thresholds and their delays in proportion
// to the run; what is compared stays as it is. Their text says what they are now.
// One that cannot be read is left for the run to report.
func (s *Scenario) scaleThresholds(x float64) {
	s.Thresholds, s.Limits = slices.Clone(s.Thresholds), slices.Clone(s.Limits)
	for i, text := range s.Thresholds {
		if t, err := ParseThreshold(text); err == nil && t.Every+t.AbortAfter > 0 {
			s.Thresholds[i] = t.stretch(x).String()
		}
	}
	for i, t := range s.Limits {
		s.Limits[i] = t.stretch(x)
	}
}

func (t Threshold) stretch(x float64) Threshold {
	for _, d := range []*time.Duration{&t.Every, &t.AbortAfter} {
		if *d > 0 {
			*d = max(shrink(*d, 1/x), 1)
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

// isReal reports whether a run that starts here on c takes real time: whether
// nobody fakes it, neither a bubble around the caller nor a clock that is stepped
// by hand. The clock's type says nothing more: the real one may be wrapped.
func isReal(c clock.Clock) bool {
	_, mock := c.(*clock.Mock)
	return !mock && !qtests.TieFree(c) && !qtests.InBubble()
}

// stretch makes every stage last x times as long, at the same rates. Of a replay,
// which goes 1/x times as fast, it therefore plays the share x of the entries.
func (p Profile) stretch(x float64) Profile {
	p.least = p.kind == kindOpen && p.expected() >= 1
	p.budget, p.each = share(p.budget, x), share(p.each, x)
	switch {
	case p.replay != nil:
		p = p.Speed(1 / x).Amplify(x)
		p.longer = x
		return p
	case p.bursts != nil:
		b := *p.bursts
		b.length = max(shrink(b.length, 1/x), 1)
		p.bursts = &b
	}
	if p.heading == "" {
		p.heading = strings.Join(p.stageTexts(), ", ")
	}
	pieces := p.pieces()
	p.stages, p.length = nil, 0
	for _, s := range pieces {
		s.d = max(shrink(s.d, 1/x), 1)
		if s.wave.amplitude != 0 {
			s.wave.period = max(shrink(s.wave.period, 1/x), 1)
		}
		p = p.add(s)
	}
	p.longer = x
	return p
}
