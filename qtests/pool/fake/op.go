package fake

import "github.com/go-qtests/qtests/qtests/pool/internal/fault"

// An Op scripts one operation of a fake that has no query or route of its own: for
// example opening a connection, or beginning a transaction. Its embedded Faults
// concern that operation alone. All methods are safe for concurrent use.
type Op struct {
	Faults
	Verbs[*Op]
}

// OpOf returns the script of the operation called name within a scope, with the
// behaviour b. Only the fakes of this module can call it.
func OpOf(scope fault.Scope, name string, b *fault.Behaviour) *Op {
	scope = scope.Of(b, name)
	o := &Op{Faults: FaultsOf(scope)}
	o.Verbs = VerbsOf(scope, b, o)
	return o
}
