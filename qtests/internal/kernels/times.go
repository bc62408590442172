package kernels

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-qtests/qtests/qtests"
)

var times = []Kernel{
	{Name: "timer_stopped_too_late", Bug: func(q *qtests.T) { // Stop reports false, and nobody looks
		var expired atomic.Bool
		timer := time.AfterFunc(time.Second, func() { expired.Store(true) })
		time.Sleep(time.Second) // the answer comes at the deadline
		timer.Stop()
		q.Wait()
		want(q, "expired behind the answer", expired.Load(), false)
	}, Fixed: func(q *qtests.T) {
		var expired atomic.Bool
		timer := time.AfterFunc(time.Second, func() { expired.Store(true) })
		time.Sleep(time.Second)
		stopped := timer.Stop()
		q.Wait()
		want(q, "expired", expired.Load(), !stopped)
	}},
	{Name: "timer_reset_by_two", Bug: func(q *qtests.T) { // a watchdog that is fed at the instant at which it bites
		w := &watchdog{}
		w.timer = time.AfterFunc(time.Second, w.bite)
		time.Sleep(time.Second)
		w.feedLate()
		time.Sleep(time.Second / 2)
		want(q, "bitten although it was fed", w.state(), "fed")
		w.timer.Stop()
	}, Fixed: func(q *qtests.T) {
		w := &watchdog{}
		w.timer = time.AfterFunc(time.Second, w.bite)
		time.Sleep(time.Second)
		fed := w.feed()
		time.Sleep(time.Second / 2)
		want(q, "fed", w.state() == "fed", fed)
		w.timer.Stop()
	}},
	{Name: "poll_instead_of_wait", Bug: func(q *qtests.T) { // as long as the work takes, to the instant
		var done atomic.Bool
		go func() {
			time.Sleep(100 * time.Millisecond)
			done.Store(true)
		}()
		time.Sleep(100 * time.Millisecond)
		want(q, "done", done.Load(), true)
	}, Fixed: func(q *qtests.T) {
		done := make(chan struct{})
		go func() {
			time.Sleep(100 * time.Millisecond)
			close(done)
		}()
		<-done
	}},
	{Name: "ticker_and_stop", Bug: func(q *qtests.T) { // a tick beside the stop is work behind the end
		var stopped atomic.Bool
		stop := make(chan struct{})
		var wg sync.WaitGroup
		wg.Go(func() {
			ticker := time.NewTicker(time.Second)
			defer ticker.Stop()
			for {
				select {
				case <-ticker.C:
					want(q, "stopped at a tick", stopped.Load(), false)
				case <-stop:
					return
				}
			}
		})
		time.Sleep(3 * time.Second)
		stopped.Store(true)
		close(stop)
		wg.Wait()
	}, Fixed: func(q *qtests.T) {
		stop := make(chan struct{})
		var ended atomic.Bool
		var wg sync.WaitGroup
		wg.Go(func() {
			ticker := time.NewTicker(time.Second)
			defer ticker.Stop()
			for {
				select {
				case <-ticker.C:
				case <-stop:
					ended.Store(true)
					return
				}
			}
		})
		time.Sleep(3 * time.Second)
		close(stop)
		wg.Wait()
		want(q, "ended", ended.Load(), true)
	}},
}

type watchdog struct {
	mu     sync.Mutex
	timer  *time.Timer
	bitten bool
}

func (w *watchdog) bite() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.bitten = true
}

func (w *watchdog) feedLate() { w.timer.Reset(time.Second) }

func (w *watchdog) feed() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.timer.Reset(time.Second) && !w.bitten
}

func (w *watchdog) state() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.bitten {
		return "bitten"
	}
	return "fed"
}
