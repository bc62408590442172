package fleet

import (
	"time"

	"github.com/go-qtests/qtests/qtests/internal/field"
)

// A Probe asks an instance again and again how it is, with the defaults of Kubernetes. It is set if it has a
// Path, or if Listening says so; the zero Probe is none.
type Probe struct {
	// Path is that of a GET request; a status from 200 to 399 is a success.
	Path string
	// Listening asks only whether the process accepts connections.
	Listening bool
	Delay     time.Duration // before the first; default 0
	Period    time.Duration // default 10 s
	Timeout   time.Duration // default 1 s
	Successes int           // in a row until it counts as well; default 1
	Failures  int           // in a row until it counts as not well; default 3
}

func (p Probe) set() bool { return p.Path != "" || p.Listening }

func (p Probe) check(f *field.Checker, at string) {
	f.That(p.Path == "" || !p.Listening, at+".Path", p.Path, "contradicts Listening")
	f.That(p.Path == "" || p.Path[0] == '/', at+".Path", p.Path, "does not begin with a slash")
	f.Duration(at+".Delay", p.Delay)
	f.Duration(at+".Period", p.Period)
	f.Duration(at+".Timeout", p.Timeout)
	f.Count(at+".Successes", p.Successes)
	f.Count(at+".Failures", p.Failures)
	f.That(p.set() || p == Probe{}, at, p, "has neither Path nor Listening")
}

func (p Probe) withDefaults() Probe {
	if !p.set() {
		return p
	}
	p.Period, p.Timeout = or(p.Period, 10*time.Second), or(p.Timeout, time.Second)
	p.Successes, p.Failures = or(p.Successes, 1), or(p.Failures, 3)
	return p
}

// A prober is what the results of one probe add up to.
type prober struct {
	well bool
	row  int // of results that are not what it is
}

// result counts one result, and reports whether well has changed.
func (x *prober) result(p Probe, ok bool) (changed bool) {
	if ok == x.well {
		x.row = 0
		return false
	}
	x.row++
	need := p.Failures
	if ok {
		need = p.Successes
	}
	if x.row < need {
		return false
	}
	x.well, x.row = ok, 0
	return true
}
