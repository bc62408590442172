package load

import (
	"fmt"
	"os"
	"os/signal"
	"time"

	"github.com/go-qtests/qtests/qtests/internal/text"
	"github.com/go-qtests/qtests/qtests/load/result"
)

// A watch is what a run in real time does besides: it stops for Ctrl-C, shows a
// line of progress every second where a person looks on, and judges whether the
// machine that generates the load was the bottleneck. Under a fake clock there is
// none, and a nil watch does nothing. One without notify and screen only judges.
type watch struct {
	run     *run
	screen  *screen
	notify  func(chan<- os.Signal)
	stop    func(chan<- os.Signal) // takes notify back
	signals chan os.Signal
	done    chan struct{}
	ended   chan struct{}
}

// Lateness over which the load is not the one that was asked for: at the 99th
// percentile, a start is this much later than intended.
const maxLateness = 10 * time.Millisecond

// newWatch is that of a run in a test, which has the terminal and Ctrl-C.
func newWatch(r *run) *watch {
	w := newLatenessWatch(r)
	if w != nil {
		w.screen = theScreen()
		w.notify = func(c chan<- os.Signal) { signal.Notify(c, os.Interrupt) }
		w.stop = signal.Stop
	}
	return w
}

// newLatenessWatch is that of a run in a program, whose signals and terminal are its own.
func newLatenessWatch(r *run) *watch {
	if !isReal(r.clk) {
		return nil
	}
	return &watch{run: r}
}

func (w *watch) begin() {
	if w == nil || w.notify == nil {
		return
	}
	// Every signal counts, so that the channel has room for both that do anything.
	w.signals, w.done, w.ended = make(chan os.Signal, 2), make(chan struct{}), make(chan struct{})
	w.notify(w.signals)
	w.screen.add(w.run)
	go w.loop()
}

// loop waits at absolute instants, like everything that repeats here.
func (w *watch) loop() {
	defer close(w.ended)
	r := w.run
	for tick := time.Second; ; {
		timer := r.clk.Timer(r.clk.Until(r.start.Add(tick)))
		select {
		case <-timer.C:
			tick += time.Second
			w.screen.draw(r)
		case s := <-w.signals:
			timer.Stop()
			// The first one ends the arrivals and lets the run drain, the next one
			// ends the grace. There is nothing left for a third, which is not ours.
			why := fmt.Errorf("load: %v: ended by the user", s)
			if !r.stopEarly(why) {
				w.stop(w.signals)
				r.endGrace(why)
			}
		case <-w.done:
			timer.Stop()
			return
		}
	}
}

// stopEarly ends the arrivals, unless they have ended.
func (r *run) stopEarly(why error) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.mu.stopped {
		return false
	}
	r.stopLocked(why)
	return true
}

// endGrace cancels what is under way in the drain.
func (r *run) endGrace(why error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.mu.halt == nil { // the arrivals had come to their end
		r.mu.halt, r.mu.haltedAt = why, r.offset()
	}
	select {
	case <-r.hurry:
	default:
		close(r.hurry)
	}
}

// end stops the watch and judges.
func (w *watch) end(res *result.Result) {
	if w == nil {
		return
	}
	if w.notify != nil {
		w.stop(w.signals)
		close(w.done)
		<-w.ended
		w.screen.remove(w.run)
	}
	if late := res.Late.Percentile(99); late > maxLateness {
		res.Warning = fmt.Sprintf("the load generator was the bottleneck: 1%% of the requests started %v or more after they were due (limit %v); lower the rate or use a faster machine",
			text.Short(late), maxLateness)
		res.Slow = w.run.FailWhenSlow
	}
}
