package watch

import (
	"fmt"
	"os"
	"os/signal"
	"time"

	"github.com/benbjohnson/clock"
)

// A Run is a run as its watch sees it. Its methods are safe for concurrent use.
type Run interface {
	// Progress says in a line how the run stands, and Brief says it shorter.
	Progress() string
	Brief() string
	// StopEarly ends the arrivals, unless they have ended, and reports whether it did.
	StopEarly(why error) bool
	// EndGrace ends the grace of what is under way.
	EndGrace(why error)
}

// A Watch is what a run in real time does besides: it stops for Ctrl-C, and shows a line
// of progress every second on a terminal. A nil watch does nothing.
type Watch struct {
	Run        Run
	Clock      clock.Clock
	Screen     *Screen // nil without a terminal
	Notify     func(chan<- os.Signal)
	StopNotify func(chan<- os.Signal) // takes Notify back

	signals chan os.Signal
	done    chan struct{}
	ended   chan struct{}
}

// New watches a run in a test, which has the terminal and Ctrl-C of the process.
func New(r Run, clk clock.Clock) *Watch {
	return &Watch{
		Run: r, Clock: clk, Screen: theScreen(),
		Notify: func(c chan<- os.Signal) { signal.Notify(c, os.Interrupt) }, StopNotify: signal.Stop,
	}
}

// Begin begins to watch a run that started at start.
func (w *Watch) Begin(start time.Time) {
	if w == nil {
		return
	}
	// Two signals have an effect, so that the channel has room for two.
	w.signals, w.done, w.ended = make(chan os.Signal, 2), make(chan struct{}), make(chan struct{})
	settle()
	w.Notify(w.signals)
	w.Screen.add(w.Run)
	go w.loop(start)
}

// loop waits at absolute instants, like everything that repeats in a run.
func (w *Watch) loop(start time.Time) {
	defer close(w.ended)
	for tick := time.Second; ; {
		timer := w.Clock.Timer(w.Clock.Until(start.Add(tick)))
		select {
		case <-timer.C:
			tick += time.Second
			w.Screen.draw(w.Run)
		case s := <-w.signals:
			timer.Stop()
			w.interrupt(s)
		case <-w.done:
			timer.Stop()
			return
		}
	}
}

// interrupt takes a Ctrl-C. The first one ends the arrivals and lets the run drain, the
// second one ends the grace. A third one is not for this run, and ends the process.
func (w *Watch) interrupt(s os.Signal) {
	why := fmt.Errorf("load: %v: ended by the user", s)
	if !w.Run.StopEarly(why) {
		w.StopNotify(w.signals)
		w.Run.EndGrace(why)
	}
}

// End stops the watch. Nothing is shown or called after it has returned.
func (w *Watch) End() {
	if w == nil {
		return
	}
	w.StopNotify(w.signals)
	close(w.done)
	<-w.ended
	w.Screen.remove(w.Run)
}
