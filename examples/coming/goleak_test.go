package coming_test

import (
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/go-qtests/qtests/qtests"
)

// startWorker is the code under test: a goroutine that ends when stop is called.
func startWorker() (stop func()) {
	done := make(chan struct{})
	go func() {
		tick := time.NewTicker(time.Minute)
		defer tick.Stop()
		for {
			select {
			case <-tick.C: // it works here
			case <-done:
				return
			}
		}
	}()
	return func() { close(done) }
}

func TestWithGoleak(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	stop := startWorker()
	stop()
}

func TestFromGoleak(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		stop := startWorker()
		q.Sleep(time.Hour) // takes no time
		stop()             // without it the test fails, and shows the line of the go statement
	})
}
