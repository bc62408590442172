package fake

import (
	"github.com/go-qtests/qtests/qtests/latency"
	"github.com/go-qtests/qtests/qtests/pool/internal/fault"
)

// An Op scripts one operation of a fake that has no query or route of its own: for
// example opening a connection, or beginning a transaction. Its embedded Faults
// concern that operation alone. All methods are safe for concurrent use.
type Op struct {
	Faults
	behaviour *fault.Behaviour
}

// OpOf returns the script of the operation called name within a scope, with the
// behaviour b. Only the fakes of this module can call it.
func OpOf(scope fault.Scope, name string, b *fault.Behaviour) *Op {
	return &Op{Faults: FaultsOf(scope.Of(b, name)), behaviour: b}
}

// Latency replaces the latency of the operation.
func (o *Op) Latency(l latency.Distribution) *Op {
	o.scope.T.Helper()
	o.behaviour.SetLatency(o.scope, l)
	return o
}

// Error makes the operation fail from now on, each time.
func (o *Op) Error(err error) *Op {
	o.scope.T.Helper()
	return o.Errors(1, err)
}

// Errors makes the operation fail with probability p from 0 to 1, independently
// of other errors.
func (o *Op) Errors(p float64, err error) *Op {
	o.scope.T.Helper()
	o.behaviour.AddError(o.scope, p, err)
	return o
}
