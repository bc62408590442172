package degrade

import (
	"cmp"
	"context"
	"time"

	"github.com/benbjohnson/clock"

	"github.com/go-qtests/qtests/qtests/internal/field"
	"github.com/go-qtests/qtests/qtests/internal/guard"
)

// Defaults of a [SwitchConfig].
const (
	DefaultWindow     = 30 * time.Second
	DefaultMinResults = 20
	DefaultOffBelow   = 0.5
	DefaultOnAbove    = 0.9
	DefaultHold       = 30 * time.Second
)

// A SwitchConfig describes a Switch.
type SwitchConfig struct {
	Name       string        // what requests are marked with while it is off; default "switch"
	Clock      clock.Clock   // default: the real clock
	Window     time.Duration // default 30 s, in ten steps
	MinResults int           // default 20
	OffBelow   float64       // default 0.5
	OnAbove    float64       // at least OffBelow; default 0.9
	Hold       time.Duration // default 30 s
}

// A Switch turns a feature off by its health. All methods are safe for concurrent use.
type Switch struct {
	cfg   SwitchConfig
	state guard.Value[switched]
}

// switchSteps is how many steps the window has.
const switchSteps = 10

// switched is the state machine: on, off until tryAt, tried.
type switched struct {
	width    time.Duration
	begun    time.Time
	steps    [switchSteps]struct{ ok, all int }
	off      bool
	since    time.Time
	nextTry  time.Time
	ok, all  int // reported while it is tried
	switches uint64
}

// SwitchStats are a Switch at one instant.
type SwitchStats struct {
	On       bool
	Since    time.Time // of the last change, or when it was made
	Changes  uint64
	Health   float64 // of the window, 1 where nothing was reported
	Reported int
}

// NewSwitch returns a Switch that is on, or an error that names what is wrong with cfg.
func NewSwitch(cfg SwitchConfig) (*Switch, error) {
	c := field.Check("degrade: SwitchConfig")
	c.Duration("Window", cfg.Window)
	c.Count("MinResults", cfg.MinResults)
	c.Share("OffBelow", cfg.OffBelow)
	c.Share("OnAbove", cfg.OnAbove)
	c.Duration("Hold", cfg.Hold)
	cfg.OffBelow, cfg.OnAbove = cmp.Or(cfg.OffBelow, DefaultOffBelow), cmp.Or(cfg.OnAbove, max(DefaultOnAbove, cfg.OffBelow))
	c.That(cfg.OnAbove >= cfg.OffBelow, "OnAbove", cfg.OnAbove, "is below OffBelow, %v", cfg.OffBelow)
	if err := c.Result(); err != nil {
		return nil, err
	}
	cfg.Name, cfg.Window, cfg.MinResults, cfg.Hold = cmp.Or(cfg.Name, "switch"), cmp.Or(cfg.Window, DefaultWindow), cmp.Or(cfg.MinResults, DefaultMinResults), cmp.Or(cfg.Hold, DefaultHold)
	if cfg.Clock == nil {
		cfg.Clock = clock.New()
	}
	x := &Switch{cfg: cfg}
	now := cfg.Clock.Now()
	x.state.Do(func(s *switched) { *s = switched{width: max(1, cfg.Window/switchSteps), begun: now, since: now} })
	return x, nil
}

// advance forgets what is older than the window.
func (s *switched) advance(now time.Time) {
	n := int(now.Sub(s.begun) / s.width)
	for range min(n, switchSteps) {
		copy(s.steps[1:], s.steps[:switchSteps-1])
		s.steps[0] = struct{ ok, all int }{}
	}
	s.begun = s.begun.Add(time.Duration(max(0, n)) * s.width)
}

func (s *switched) health() (share float64, all int) {
	ok := 0
	for _, x := range s.steps {
		ok += x.ok
		all += x.all
	}
	if all == 0 {
		return 1, 0
	}
	return float64(ok) / float64(all), all
}

// turn changes the state. What was reported before counts no more.
func (s *switched) turn(off bool, now time.Time, hold time.Duration) {
	s.off, s.since, s.ok, s.all = off, now, 0, 0
	s.steps = [switchSteps]struct{ ok, all int }{}
	s.nextTry = now.Add(hold)
	s.switches++
}

// report counts one result.
func (s *switched) report(cfg SwitchConfig, now time.Time, good bool) {
	s.advance(now)
	s.steps[0].all++
	if good {
		s.steps[0].ok++
	}
	if !s.off {
		if share, all := s.health(); all >= cfg.MinResults && share < cfg.OffBelow {
			s.turn(true, now, cfg.Hold)
		}
		return
	}
	if now.Sub(s.since) < cfg.Hold {
		return // of what began before it was off
	}
	s.all++
	if good {
		s.ok++
	}
	// A tenth of what turns it off is enough to see that it is well again.
	if s.all < max(1, cfg.MinResults/10) {
		return
	}
	if float64(s.ok) >= cfg.OnAbove*float64(s.all) {
		s.turn(false, now, 0)
	} else {
		s.ok, s.all, s.nextTry = 0, 0, now.Add(cfg.Hold)
	}
}

// On reports whether the feature is on for this request. While it is off, one request is let through from time to time, to see whether it is well
// again; all others are marked. Results of both belong to Report.
func (x *Switch) On(ctx context.Context) (on bool) {
	now := x.cfg.Clock.Now()
	x.state.Do(func(s *switched) {
		on = !s.off
		if s.off && !now.Before(s.nextTry) {
			on = true
			s.nextTry = now.Add(max(1, x.cfg.Hold/10))
		}
	})
	if !on {
		Mark(ctx, x.cfg.Name)
	}
	return on
}

// Report says whether the feature worked, once for each request that On let through.
func (x *Switch) Report(good bool) {
	now := x.cfg.Clock.Now()
	x.state.Do(func(s *switched) { s.report(x.cfg, now, good) })
}

// Stats returns how it stands.
func (x *Switch) Stats() (out SwitchStats) {
	now := x.cfg.Clock.Now()
	x.state.Do(func(s *switched) {
		s.advance(now)
		out = SwitchStats{On: !s.off, Since: s.since, Changes: s.switches}
		out.Health, out.Reported = s.health()
	})
	return out
}
