// Package leakgate_test shows the two gates for goroutines that nothing stops: one for
// the whole package, and one for each test under fake time.
package leakgate_test

import (
	"testing"
	"time"

	"github.com/go-qtests/qtests/qtests"
)

// TestMain fails the package for every goroutine that its tests leave behind.
func TestMain(m *testing.M) { qtests.VerifyTestMain(m) }

// A cache forgets everything once a minute, until it is closed.
type cache struct{ stop, stopped chan struct{} }

func newCache() *cache {
	c := &cache{make(chan struct{}), make(chan struct{})}
	go func() {
		defer close(c.stopped)
		tick := time.NewTicker(time.Minute)
		defer tick.Stop()
		for {
			select {
			case <-tick.C: // it forgets here
			case <-c.stop:
				return
			}
		}
	}()
	return c
}

func (c *cache) close() {
	close(c.stop)
	<-c.stopped
}

// Without the call of close the test fails, and shows the line that started the goroutine.
func TestCacheEnds(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		qtests.LimitGoroutines(q, 1) // one more than before, at any time
		c := newCache()
		q.Sleep(time.Hour)
		c.close()
	})
}

// The same gate in real time, where other tests may run beside this one.
func TestCacheEndsInRealTime(t *testing.T) {
	t.Parallel()
	qtests.CheckLeaks(t)
	newCache().close()
}
