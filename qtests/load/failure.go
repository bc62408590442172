package load

import (
	"context"
	"errors"
	"fmt"
	"net"
	"reflect"

	"github.com/go-qtests/qtests/qtests/internal/text"
	"github.com/go-qtests/qtests/qtests/load/internal/record"
	"github.com/go-qtests/qtests/qtests/load/internal/usercode"
)

// tell describes how a request failed. It is called outside of all locks, because the
// methods of the error and kindOf are the user's code. If these panic, that is what is told.
func tell(err error, kindOf func(error) string) (f *record.Failure) {
	defer func() {
		if value := recover(); value != nil {
			p := usercode.NewPanic(value)
			f = &record.Failure{Kind: "ErrorKind panicked", Text: shortText(p.Error()), Bug: p.Report("Scenario.ErrorKind, or a method of the step's error")}
		}
	}()
	f = &record.Failure{Kind: text.OneLine(kindOf(err)), Text: shortText(err.Error())}
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

// tellTimeout counts a request as timed out that hit Scenario.Timeout, though its error does
// not show it, and gives it the kind of those that do: which error a library makes of it may
// be chance.
func (r *run) tellTimeout(u *User, f *record.Failure) {
	if !u.timedOut || f.Timeout || f.Bug != "" || f.Goexit {
		return
	}
	f.Timeout = true
	if reflect.ValueOf(r.ErrorKind).Pointer() == reflect.ValueOf(KindOf).Pointer() {
		f.Kind, f.Text = KindTimeout, fmt.Sprintf("the timeout of %v has passed", r.Timeout)
	}
}

// shortText is the text of an error as a result shows it.
func shortText(s string) string { return text.Clip(text.Printable(s), 200) }

// isTimeout reports whether a deadline has passed, that of a context or of the
// network.
func isTimeout(err error) bool {
	var network net.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.As(err, &network) && network.Timeout()
}
