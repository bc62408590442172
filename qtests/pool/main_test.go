package pool

import (
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	// Every test of the package checks the invariants after every operation.
	invariants = func(c *core) {
		if err := c.check(); err != nil {
			panic("pool: invariant broken: " + err.Error())
		}
	}
	goleak.VerifyTestMain(m)
}
