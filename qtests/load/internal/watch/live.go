package watch

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-qtests/qtests/qtests/internal/bubble"
	"github.com/go-qtests/qtests/qtests/internal/text"
)

// ErrInterrupted is why a run in fake time ended that a person interrupted.
var ErrInterrupted = errors.New("load: interrupt: ended by the user")

// A Live is a run in fake time as one sees it from outside of its bubble. What is in a bubble must wait for nothing outside, and so all that both share
// is atomic.
type Live struct {
	name        string
	length      time.Duration
	at          atomic.Int64 // of fake time, since the start
	finished    atomic.Int64
	interrupted atomic.Bool
	ended       atomic.Bool

	began time.Time // real; belongs to the hall
}

// hall are the runs in fake time of this process, in any order.
var hall struct {
	come atomic.Pointer[arrival] // runs that the hall does not know yet

	sync.Mutex // what follows belongs to those outside of bubbles
	runs       []*Live
	drawn      time.Time
	shown      bool
	presses    int
	signals    chan os.Signal
	screen     *Screen
	opened     bool
}

type arrival struct {
	live *Live
	next *arrival
}

// signals has room for what comes between two beats. It is made outside of every bubble.
var signals = make(chan os.Signal, 8)

func init() { bubble.OnBeat(beat) }

// Follow shows a run of fake time from now on, and ends it for Ctrl-C. It is called inside the bubble.
func Follow(name string, length time.Duration) *Live {
	l := &Live{name: name, length: length}
	a := &arrival{live: l}
	for a.next = hall.come.Load(); !hall.come.CompareAndSwap(a.next, a); a.next = hall.come.Load() {
	}
	return l
}

// Tell says how far the run is, and reports whether it was interrupted. A nil Live is nobody's.
func (l *Live) Tell(at time.Duration, finished int64) (interrupted bool) {
	if l == nil {
		return false
	}
	l.at.Store(int64(at))
	l.finished.Store(finished)
	return l.interrupted.Load()
}

// End says that the run is over.
func (l *Live) End() {
	if l != nil {
		l.ended.Store(true)
	}
}

// beat looks at the runs from outside, twice a second. The first that comes does it for all.
func beat(now time.Time) {
	if !hall.TryLock() {
		return
	}
	defer hall.Unlock()
	for a := hall.come.Swap(nil); a != nil; a = a.next {
		a.live.began = now
		hall.runs = append(hall.runs, a.live)
	}
	prune()
	listen()
	show(now)
}

// settle brings the hall up to date between two beats: a run in real time, which takes Ctrl-C itself, begins, and a press
// that is for it is not to end a later run in fake time. It is called outside of bubbles.
func settle() {
	hall.Lock()
	defer hall.Unlock()
	prune()
	listen()
}

// prune forgets the runs that are over.
func prune() {
	running := hall.runs[:0]
	for _, l := range hall.runs {
		if !l.ended.Load() {
			running = append(running, l)
		}
	}
	clear(hall.runs[len(running):])
	hall.runs = running
}

// listen takes Ctrl-C while there are runs: the first ends them, and the second gives the signal back, so that a third ends the process.
func listen() {
	switch {
	case len(hall.runs) == 0:
		signal.Stop(hall.signals) // nil is none
		hall.signals, hall.presses = nil, 0
		return
	case hall.signals == nil && hall.presses == 0:
		hall.signals = signals
		signal.Notify(hall.signals, os.Interrupt)
	}
	for {
		select {
		case <-signals:
			hall.presses++
			for _, l := range hall.runs {
				l.interrupted.Store(true)
			}
			if hall.presses == 2 {
				signal.Stop(hall.signals)
				hall.signals = nil
			}
		default:
			return
		}
	}
}

// show draws a line every second on the terminal, if there is one, and takes it away when there are no runs.
func show(now time.Time) {
	if !hall.opened {
		hall.opened, hall.screen = true, theScreen()
	}
	switch {
	case hall.screen == nil:
	case len(hall.runs) == 0 && hall.shown:
		hall.shown = false
		hall.screen.Clear()
	case len(hall.runs) > 0 && now.Sub(hall.drawn) >= time.Second-100*time.Millisecond:
		hall.drawn, hall.shown = now, true
		hall.screen.Write(hall.runs[len(hall.runs)-1].line(now, len(hall.runs)))
	}
}

// line says how a run stands, of so many at the same time.
func (l *Live) line(now time.Time, n int) string {
	at := time.Duration(l.at.Load())
	s := fmt.Sprintf("fake: %s %v of %v: %s requests", l.name, at.Round(time.Second), l.length, text.Grouped(l.finished.Load()))
	if passed := now.Sub(l.began); passed > 0 {
		s += fmt.Sprintf(", %v a second", text.Short(time.Duration(float64(at)/passed.Seconds())))
	}
	if n > 1 {
		s += fmt.Sprintf("; and %d more", n-1)
	}
	if l.interrupted.Load() {
		s += "; ending"
	}
	return s
}
