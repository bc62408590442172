package load

import (
	"context"
	"errors"
	"fmt"
	"net"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/internal/text"
	"github.com/go-qtests/qtests/qtests/load/internal/usercode"
)

// A failure is how a request failed, told from its error outside all locks: the
// error's methods are the user's code.
type failure struct {
	kind, text string
	timeout    bool
	bug        string // of a panic, with its stack
	goexit     bool
}

func (f *failure) name() string {
	if f == nil {
		return ""
	}
	return f.kind
}

// tell describes an error. If the user's code panics over it, that is what is
// told.
func (r *run) tell(err error) (f *failure) {
	defer func() {
		if value := recover(); value != nil {
			p := usercode.NewPanic(value)
			f = &failure{kind: "ErrorKind panicked", text: text.Clip(text.Printable(p.Error()), 200), bug: p.Report("Scenario.ErrorKind, or a method of the step's error")}
		}
	}()
	f = &failure{kind: text.OneLine(r.ErrorKind(err)), text: text.Clip(text.Printable(err.Error()), 200)}
	var p *usercode.Panic
	var g *usercode.Goexit
	switch {
	case errors.As(err, &p):
		f.bug = p.Report("the step")
	case errors.As(err, &g):
		f.goexit = true
	default:
		f.timeout = isTimeout(err)
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
	r.mu.rec.bug(p.Report(where))
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
