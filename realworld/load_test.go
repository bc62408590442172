package realworld

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"syscall"
	"time"

	"github.com/go-qtests/qtests/qtests"
)

// A plan is how much load a scenario has, in fake time.
type plan struct {
	length time.Duration
	pause  time.Duration // the longest between two requests; half of it in the mean
}

var (
	tenMinutes = plan{10 * time.Minute, 700 * time.Millisecond}
	oneHour    = plan{time.Hour, 40 * time.Millisecond} // 50 a second
)

// The outage of every plan.
const (
	outageFrom  = 4 * time.Minute
	outageUntil = 5 * time.Minute
)

// down reports whether it is the minute of the outage.
func (l *Log) down() bool { return l.at() >= outageFrom && l.at() < outageUntil }

// load sends requests as the plan says, each in a goroutine of its own, and returns when
// all have ended. do makes request i and returns what came of it.
func load(log *Log, do func(i int) string) {
	var all sync.WaitGroup
	for i := 0; log.at() < log.plan.length; i++ {
		time.Sleep(rand.N(log.plan.pause))
		all.Go(func() {
			log.asks()
			log.Addf("%d starts", i)
			log.Addf("%d ends: %s", i, do(i))
		})
	}
	all.Wait()
}

// work takes as long as a request takes a server, or until ctx ends.
func work(ctx context.Context) error {
	select {
	case <-time.After(5*time.Millisecond + rand.N(100*time.Millisecond)):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

var errDown = errors.New("down")

// call is a request to a server that has no protocol.
func call(ctx context.Context, log *Log) (time.Duration, error) {
	began := time.Now()
	if err := work(ctx); err != nil {
		return 0, err
	}
	if log.down() {
		return 0, errDown
	}
	return time.Since(began), nil
}

// backend is a server that works, and answers 503 in the outage.
func backend(log *Log) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if work(r.Context()) != nil || log.down() {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintf(w, "%s at %v", r.URL.Path, log.at())
	}
}

// A cable leads to a server in memory. In the outage it is cut: connections break, and
// nobody answers a new one.
type cable struct {
	dial  func(context.Context) (net.Conn, error)
	mu    sync.Mutex
	conns []net.Conn // in the order in which they were made
	cut   bool
}

// newCable returns a cable to what dial connects to, which the outage of log will cut.
func newCable(q *qtests.T, log *Log, dial func(context.Context) (net.Conn, error)) *cable {
	w := &cable{dial: dial}
	q.Go(func() {
		time.Sleep(outageFrom - log.at())
		w.mu.Lock()
		w.cut = true
		for _, c := range w.conns {
			_ = c.Close() // of memory; a second time is no error
		}
		w.conns = nil
		w.mu.Unlock()
		time.Sleep(outageUntil - log.at())
		w.mu.Lock()
		w.cut = false
		w.mu.Unlock()
	})
	return w
}

func (w *cable) Dial(ctx context.Context) (net.Conn, error) {
	if err := work(ctx); err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.cut {
		return nil, syscall.ECONNREFUSED
	}
	c, err := w.dial(ctx)
	if err == nil {
		w.conns = append(w.conns, c)
	}
	return c, err
}
