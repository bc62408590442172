package shed

import (
	"cmp"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/benbjohnson/clock"

	"github.com/go-qtests/qtests/qtests/internal/field"
	"github.com/go-qtests/qtests/qtests/internal/guard"
)

// Defaults of a [ThrottleConfig].
const (
	DefaultThrottleWindow = 2 * time.Minute
	DefaultThrottleK      = 2.0
)

// A ThrottleConfig describes a Throttle.
type ThrottleConfig struct {
	Name   string        // default "throttle"
	Clock  clock.Clock   // default: the real clock
	Window time.Duration // over which requests count; default 2 min
	K      float64       // at least 1; default 2
	// Rand draws from [0,1). Default: math/rand/v2. A test gives its own stream, used by one goroutine at a time.
	Rand func() float64
	// Accepted says that the backend took a request. Default: an answer whose status is neither 429 nor 503.
	Accepted func(resp *http.Response, err error) bool
}

// A Throttle keeps a client from sending what the backend would refuse. All methods are safe for concurrent use.
type Throttle struct {
	cfg   ThrottleConfig
	state guard.Value[throttle]
}

// throttleBuckets is how many steps the window has.
const throttleBuckets = 12

// throttle is the last two minutes.
type throttle struct {
	width    time.Duration
	begun    time.Time // of the newest bucket
	buckets  [throttleBuckets]struct{ requests, accepts int }
	requests int
	accepts  int
	stats    ThrottleStats
}

// ThrottleStats say what a Throttle did. Offered = Sent + Refused.
type ThrottleStats struct {
	Offered, Sent, Refused, Accepted uint64
	Chance                           float64 // that the next request is refused
}

// NewThrottle returns a Throttle, or an error that names what is wrong with cfg.
func NewThrottle(cfg ThrottleConfig) (*Throttle, error) {
	c := field.Check("shed: ThrottleConfig")
	c.Duration("Window", cfg.Window)
	c.That(cfg.K == 0 || cfg.K >= 1, "K", cfg.K, "is below 1")
	if err := c.Result(); err != nil {
		return nil, err
	}
	cfg.Name, cfg.Window, cfg.K = cmp.Or(cfg.Name, "throttle"), cmp.Or(cfg.Window, DefaultThrottleWindow), cmp.Or(cfg.K, DefaultThrottleK)
	if cfg.Clock == nil {
		cfg.Clock = clock.New()
	}
	if cfg.Rand == nil {
		cfg.Rand = rand.Float64
	}
	if cfg.Accepted == nil {
		cfg.Accepted = func(resp *http.Response, err error) bool {
			return err == nil && resp.StatusCode != http.StatusTooManyRequests && resp.StatusCode != http.StatusServiceUnavailable
		}
	}
	t := &Throttle{cfg: cfg}
	now := cfg.Clock.Now()
	t.state.Do(func(x *throttle) { x.width, x.begun = max(1, cfg.Window/throttleBuckets), now })
	return t, nil
}

// advance forgets what is older than the window.
func (x *throttle) advance(now time.Time) {
	steps := int(now.Sub(x.begun) / x.width)
	for range min(steps, throttleBuckets) {
		last := x.buckets[throttleBuckets-1]
		x.requests -= last.requests
		x.accepts -= last.accepts
		copy(x.buckets[1:], x.buckets[:throttleBuckets-1])
		x.buckets[0] = struct{ requests, accepts int }{}
	}
	x.begun = x.begun.Add(time.Duration(max(0, steps)) * x.width)
}

// chance is the formula of the SRE book.
func (x *throttle) chance(k float64) float64 {
	return max(0, (float64(x.requests)-k*float64(x.accepts))/float64(x.requests+1))
}

// Allow reports whether a request may be sent, and counts it. A request that was sent ends with Result.
func (t *Throttle) Allow() bool {
	now, draw, ok := t.cfg.Clock.Now(), t.cfg.Rand(), false
	t.state.Do(func(x *throttle) {
		x.advance(now)
		ok = draw >= x.chance(t.cfg.K)
		x.requests++
		x.buckets[0].requests++
		x.stats.Offered++
		if ok {
			x.stats.Sent++
		} else {
			x.stats.Refused++
		}
	})
	return ok
}

// Result says whether the backend took a request that Allow let pass.
func (t *Throttle) Result(accepted bool) {
	now := t.cfg.Clock.Now()
	t.state.Do(func(x *throttle) {
		x.advance(now)
		if accepted {
			x.accepts++
			x.buckets[0].accepts++
			x.stats.Accepted++
		}
	})
}

// Stats returns what it did so far.
func (t *Throttle) Stats() (s ThrottleStats) {
	now := t.cfg.Clock.Now()
	t.state.Do(func(x *throttle) {
		x.advance(now)
		s = x.stats
		s.Chance = x.chance(t.cfg.K)
	})
	return s
}

// RoundTripper sends through next what the Throttle lets pass; the rest fails with a [*RefusedError].
func (t *Throttle) RoundTripper(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(req *http.Request) (*http.Response, error) {
		if !t.Allow() {
			closeBody(req)
			return nil, &RefusedError{Gate: t.cfg.Name, Reason: Throttled}
		}
		resp, err := next.RoundTrip(req)
		t.Result(t.cfg.Accepted(resp, err))
		return resp, err
	})
}
