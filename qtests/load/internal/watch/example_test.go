package watch_test

import (
	"fmt"
	"os"
	"time"

	"github.com/benbjohnson/clock"

	"github.com/go-qtests/qtests/qtests/load/internal/watch"
)

// A run that ends at the first Ctrl-C.
type run struct{ stopped chan error }

func (r run) Progress() string { return "under way" }
func (r run) Brief() string    { return "under way" }

func (r run) StopEarly(why error) bool {
	r.stopped <- why
	return true
}

func (r run) EndGrace(error) {}

func Example() {
	r := run{make(chan error, 1)}
	w := &watch.Watch{
		Run: r, Clock: clock.New(),
		Notify:     func(c chan<- os.Signal) { c <- os.Interrupt }, // somebody presses Ctrl-C at once
		StopNotify: func(chan<- os.Signal) {},
	}
	w.Begin(time.Now())
	fmt.Println(<-r.stopped)
	w.End()
	// Output:
	// load: interrupt: ended by the user
}
