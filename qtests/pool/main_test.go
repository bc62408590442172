package pool

import (
	"errors"
	"testing"

	"go.uber.org/goleak"

	"github.com/go-qtests/qtests/qtests/tb"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var errRefused = errors.New("connection refused")

// checkInvariants fails t when a pool is in a state that must not be.
func checkInvariants(t tb.TB, p *Pool[*item]) {
	t.Helper()
	p.engine.mu.Lock()
	err := p.engine.mu.core.check()
	p.engine.mu.Unlock()
	if err != nil {
		t.Errorf("invariant broken: %v", err)
	}
}
