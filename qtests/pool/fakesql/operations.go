package fakesql

import (
	"github.com/go-qtests/qtests/qtests/latency"
	"github.com/go-qtests/qtests/qtests/pool/fake"
	"github.com/go-qtests/qtests/qtests/pool/internal/fault"
)

// operations are the scripts of what has no query of its own.
type operations struct {
	connect, begin, commit, rollback, ping, prepare operation
	statement                                       operation // that no stub answers
}

// An operation is the script of one, and how its calls behave.
type operation struct {
	script    *fake.Op
	behaviour *fault.Behaviour
}

func (o operation) call(op string) fault.Call { return o.behaviour.Call(op) }

func newOperations(scope fault.Scope, cfg fault.Config, connect latency.Distribution) operations {
	op := func(name string, b *fault.Behaviour) operation { return operation{fake.OpOf(scope, name, b), b} }
	quiet := func() *fault.Behaviour { return fault.NewBehaviour(cfg.Latency, 0, nil) }
	return operations{
		connect:   op("connect", fault.NewBehaviour(connect, 0, nil)),
		begin:     op("begin", quiet()),
		commit:    op("commit", quiet()),
		rollback:  op("rollback", quiet()),
		ping:      op("ping", quiet()),
		prepare:   op("prepare", quiet()),
		statement: op("statement", cfg.Behaviour()),
	}
}
