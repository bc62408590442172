package load

import (
	"context"
	"errors"
	"fmt"
	"net"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/internal/text"
	"github.com/go-qtests/qtests/qtests/load/internal/record"
	"github.com/go-qtests/qtests/qtests/load/internal/usercode"
)

// tell describes an error. If the user's code panics over it, that is what is
// told.
func (r *run) tell(err error) (f *record.Failure) {
	defer func() {
		if value := recover(); value != nil {
			p := usercode.NewPanic(value)
			f = &record.Failure{Kind: "ErrorKind panicked", Text: text.Clip(text.Printable(p.Error()), 200), Bug: p.Report("Scenario.ErrorKind, or a method of the step's error")}
		}
	}()
	f = &record.Failure{Kind: text.OneLine(r.ErrorKind(err)), Text: text.Clip(text.Printable(err.Error()), 200)}
	var p *usercode.Panic
	var g *usercode.Goexit
	switch {
	case errors.As(err, &p):
		f.Bug = p.Report("the step")
	case errors.As(err, &g):
		f.Goexit = true
	default:
		f.Timeout = isTimeout(err)
	}
	return f
}

// isTimeout reports whether a deadline has passed, that of a context or of the
// network.
func isTimeout(err error) bool {
	var network net.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.As(err, &network) && network.Timeout()
}

// panicked counts a panic of the user's code that is no request's.
func (r *run) panicked(p *usercode.Panic, where string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.mu.rec.Bug(p.Report(where))
}

// checkEvents counts what became of the events.
func (r *run) checkEvents(err error) {
	var p *qtests.EventPanic
	if errors.As(err, &p) {
		r.panicked(&usercode.Panic{Value: p.Value, Stack: string(p.Stack)}, fmt.Sprintf("event %q", p.Event))
	}
}

// fail ends the run because of the user's code that is no request's.
func (r *run) fail(err error) {
	if p := new(usercode.Panic); errors.As(err, &p) {
		r.panicked(p, "a function of the scenario")
	}
	r.stop(err)
}
