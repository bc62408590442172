package watch

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/benbjohnson/clock"
	"github.com/stretchr/testify/require"
)

// A fakeRun counts what its watch does with it.
type fakeRun struct {
	name    string
	stopped bool
	calls   chan string
}

func (r *fakeRun) Progress() string { return r.name + " in full" }
func (r *fakeRun) Brief() string    { return r.name }

func (r *fakeRun) StopEarly(why error) bool {
	first := !r.stopped
	r.stopped = true
	r.calls <- "stop: " + why.Error()
	return first
}

func (r *fakeRun) EndGrace(why error) { r.calls <- "end the grace: " + why.Error() }

func TestRunsShareTheScreen(t *testing.T) {
	var out bytes.Buffer
	s := NewScreen(&out)
	a, b := &fakeRun{name: "a"}, &fakeRun{name: "b"}
	s.add(a)
	s.draw(a)
	s.add(b)
	s.draw(b) // the first one draws for all
	s.draw(a)
	s.remove(a)
	s.draw(b)
	s.remove(b)
	s.draw(b)
	s.state.Do(func(x *shown) { require.Empty(t, x.runs) })
	require.Equal(t, []string{"", "a in full", "real: a | b", "", "b in full", ""},
		strings.Split(strings.NewReplacer("\x1b[?7l", "", "\x1b[K", "", "\x1b[?7h", "").Replace(out.String()), "\r"))
}

func TestNobodyLooksOn(t *testing.T) {
	var s *Screen
	s.add(&fakeRun{})
	s.draw(&fakeRun{})
	s.remove(&fakeRun{})
	var w *Watch
	w.Begin(time.Now())
	w.End()
}

func TestInterruptsOfAWatch(t *testing.T) {
	r := &fakeRun{calls: make(chan string, 1)}
	var signals chan<- os.Signal
	given := 0
	w := &Watch{
		Run: r, Clock: clock.New(),
		Notify:     func(c chan<- os.Signal) { signals = c },
		StopNotify: func(chan<- os.Signal) { given++ },
	}
	w.Begin(time.Now())
	signals <- os.Interrupt
	require.Equal(t, "stop: load: interrupt: ended by the user", <-r.calls)
	signals <- os.Interrupt
	require.Equal(t, "stop: load: interrupt: ended by the user", <-r.calls)
	require.Equal(t, "end the grace: load: interrupt: ended by the user", <-r.calls)
	w.End()
	require.Equal(t, 2, given, "a third one ends the process")
}
