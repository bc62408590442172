package route

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"
)

// A Target is what requests go to. The balancer owns it: between its calls the fields may be
// read, and Weight may be changed.
type Target struct {
	ID     string
	Zone   string
	Weight float64 // the share of the load, relative to other targets; above 0
	Active int     // requests under way

	order   uint64
	failing bool // its active health check
	outlier outlier
	cost    ewma
	credit  float64
	hash    uint64
}

// load is what the policies by active requests compare.
func (t *Target) load() float64 { return float64(t.Active+1) / t.Weight }

// Ejected reports whether the target is ejected as an outlier.
func (t *Target) Ejected() bool { return t.outlier.ejected }

// Failing reports whether the active health check of the target fails.
func (t *Target) Failing() bool { return t.failing }

// A Request is what is known of a request before it is sent.
type Request struct {
	// Key decides with [Hash]. Requests of one key go to one target.
	Key uint64
	// Zone is that of the caller, or "".
	Zone string
	// Exclude refuses candidates, such as those already tried. Where it refuses all of them, it
	// is not heeded. Nil refuses none.
	Exclude func(*Target) bool
	// Within narrows the targets, such as to one version. Where it admits none, there is none.
	// Nil admits all.
	Within func(*Target) bool
}

// A Picker chooses. It belongs to one balancer, and may keep state.
type Picker interface {
	// Pick returns the index of one of the candidates, of which there is at least one. all are
	// the targets the candidates were taken from, in the order in which they were added.
	Pick(now time.Time, rq Request, candidates, all []*Target) int
}

// A Policy makes a Picker that draws from r.
type Policy func(r *rand.Rand) Picker

// pickFunc is a picker without more than itself.
type pickFunc func(now time.Time, rq Request, candidates, all []*Target) int

func (f pickFunc) Pick(now time.Time, rq Request, candidates, all []*Target) int {
	return f(now, rq, candidates, all)
}

// ewma is the latency of a target as Finagle's PeakEwma has it.
type ewma struct {
	nanos float64
	at    time.Time
}

func (e *ewma) fall(now time.Time, decay time.Duration) float64 {
	if d := now.Sub(e.at); d > 0 {
		e.nanos *= math.Exp(-float64(d) / float64(decay))
	}
	e.at = now
	return e.nanos
}

func (e *ewma) observe(now time.Time, latency, decay time.Duration) {
	before := e.nanos
	kept := e.fall(now, decay)
	r := float64(latency)
	if r > before {
		e.nanos = r
		return
	}
	if before > 0 {
		e.nanos = kept + r*(1-kept/before)
	}
}

// checkTarget says what is wrong with a target.
func checkTarget(id string, weight float64) error {
	switch {
	case id == "":
		return fmt.Errorf("route: Target.ID: is empty")
	case !(weight > 0) || math.IsInf(weight, 1):
		return fmt.Errorf("route: Target.Weight: %v of %s is not a finite number above 0", weight, id)
	}
	return nil
}
