package qtests_test

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-qtests/qtests/qtests"
)

// A cache that forgets after a day: the day takes no real time, and a goroutine that the body
// leaves behind would fail the test.
func Example() {
	var t *testing.T // the one of the test
	qtests.Run(t, func(q *qtests.T) {
		var forgotten atomic.Bool
		time.AfterFunc(24*time.Hour, func() { forgotten.Store(true) })
		q.Sleep(24*time.Hour - time.Second)
		if forgotten.Load() {
			q.Error("it forgets too early")
		}
		q.Eventually("the cache forgets", 2*time.Second, forgotten.Load)
	})
}
