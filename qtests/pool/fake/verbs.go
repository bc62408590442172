package fake

import (
	"github.com/go-qtests/qtests/qtests/latency"
	"github.com/go-qtests/qtests/qtests/pool/internal/fault"
)

// Verbs say how calls behave while no fault is active: those of a query, a route or an
// operation, in whose script they are embedded. Each returns that script. A change counts
// for the calls that begin from then on. All methods are safe for concurrent use.
type Verbs[S any] struct {
	of        fault.Scope
	behaviour *fault.Behaviour
	self      S
}

// VerbsOf returns the verbs of the script self, which has the scope and the behaviour b.
// Only the fakes of this module can call it.
func VerbsOf[S any](scope fault.Scope, b *fault.Behaviour, self S) Verbs[S] {
	return Verbs[S]{scope, b, self}
}

// Latency replaces the latency that the calls have from the Config.
func (v *Verbs[S]) Latency(l latency.Distribution) S {
	v.of.T.Helper()
	v.behaviour.SetLatency(v.of, l)
	return v.self
}

// Error makes each call fail with err when its latency is over, until ClearErrors. The
// caller gets err as it is.
func (v *Verbs[S]) Error(err error) S {
	v.of.T.Helper()
	return v.Errors(1, err)
}

// Errors makes each call fail with err, with probability p from 0 to 1, independently of
// other errors. It adds to earlier calls of Error and Errors.
func (v *Verbs[S]) Errors(p float64, err error) S {
	v.of.T.Helper()
	v.behaviour.AddError(v.of, p, err)
	return v.self
}

// ClearErrors takes back all that Error and Errors said. The ErrorRate of the Config
// stays.
func (v *Verbs[S]) ClearErrors() S {
	v.behaviour.TakeBack()
	return v.self
}
