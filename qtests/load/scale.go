package load

import (
	"flag"
	"fmt"
	"math"
	"os"
	"strconv"
	"sync"
	"testing"

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

func (v *scaleValue) Set(s string) error {
	if _, err := parseScale(s); err != nil {
		return err
	}
	*v = scaleValue(s)
	return nil
}

func init() {
	if testing.Testing() { // a program keeps its own command line
		flag.Var(&scaleSetting, scaleFlag, "multiplies the arrivals and users of load scenarios, over 0")
	}
}

func parseScale(s string) (float64, error) {
	x, err := strconv.ParseFloat(s, 64)
	if err != nil || !(x > 0) || math.IsInf(x, 1) {
		return 0, fmt.Errorf("%q is not a finite number over 0", s)
	}
	return x, nil
}

// environmentScale reads the variable once; one without meaning panics, because
// every result would carry a scale nobody asked for.
var environmentScale = sync.OnceValue(func() float64 {
	s := os.Getenv(scaleEnv)
	if s == "" {
		return 0
	}
	x, err := parseScale(s)
	if err != nil {
		panic(fmt.Sprintf("load: %s: %v", scaleEnv, err))
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
// it, and its events with it.
func (s Scenario) scaledBy(x float64) Scenario {
	if x == 1 || s.Profile.Err() != nil {
		return s
	}
	if !isReal(s.Clock) {
		s.Profile = s.Profile.Amplify(x)
		return s
	}
	if !s.Scalable {
		return s
	}
	s.Profile = s.Profile.stretch(x)
	events := append([]qtests.Event(nil), s.Events...)
	for i := range events {
		events[i].Offset = shrink(events[i].Offset, 1/x)
		events[i].Duration = shrink(events[i].Duration, 1/x)
	}
	s.Events = events
	return s
}

// isReal reports whether the clock is that of package time, outside a bubble.
func isReal(c clock.Clock) bool {
	return c == nil || fmt.Sprintf("%T", c) == fmt.Sprintf("%T", clock.New())
}

// stretch makes every stage last x times as long, at the same rates.
func (p Profile) stretch(x float64) Profile {
	switch {
	case p.replay != nil:
		return p.Speed(1 / x)
	case p.bursts != nil:
		b := *p.bursts
		b.length = max(shrink(b.length, 1/x), 1)
		p.bursts = &b
	}
	pieces := append([]piece(nil), p.pieces...)
	for i := range pieces {
		pieces[i].d = max(shrink(pieces[i].d, 1/x), 1)
		pieces[i].wave.period = shrink(pieces[i].wave.period, 1/x)
	}
	p.pieces = pieces
	return p.note("×%s as long", number(x))
}
