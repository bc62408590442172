package qtests

import (
	"bytes"
	"runtime/debug"
	"sync/atomic"
)

// panicsLogged is how many panics of a handler a server logs, with their stacks: a
// handler under load may panic some thousand times.
const panicsLogged = 3

// A serverLog hands what a server logs to the log of a test. Of the panics of its
// handler it says at the end how many more there were.
type serverLog struct {
	t      TB
	panics atomic.Int64
}

func newServerLog(t TB) *serverLog {
	l := &serverLog{t: t}
	t.Cleanup(func() {
		if more := l.panics.Load() - panicsLogged; more > 0 {
			t.Logf("http: %d panics of the handler, of which %d are not logged", more+panicsLogged, more)
		}
	})
	return l
}

// servingPanicked begins what net/http logs of a panic.
const servingPanicked = "http: panic serving "

// Write takes what an http.Server logs.
func (l *serverLog) Write(text []byte) (int, error) {
	if !bytes.HasPrefix(text, []byte(servingPanicked)) || l.panics.Add(1) <= panicsLogged {
		l.t.Logf("%s", bytes.TrimRight(text, "\n"))
	}
	return len(text), nil
}

// panicked logs a panic as an http.Server does.
func (l *serverLog) panicked(client string, value any) {
	if l.panics.Add(1) <= panicsLogged {
		l.t.Logf("%s%s: %v\n%s", servingPanicked, client, value, debug.Stack())
	}
}
