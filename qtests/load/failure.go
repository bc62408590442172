package load

import (
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/go-qtests/qtests/qtests/internal/text"
	"github.com/go-qtests/qtests/qtests/internal/usercode"
	"github.com/go-qtests/qtests/qtests/load/internal/record"
)

// tell describes how a request failed. It is called outside of all locks, because the
// methods of the error and kindOf are the user's code. If these panic, that is what is told.
func tell(err error, kindOf func(error) string) (f *record.Failure) {
	defer func() {
		if value := recover(); value != nil {
			err, _ := usercode.Cause(value)
			p := err.(*usercode.PanicError)
			f = &record.Failure{Kind: "ErrorKind panicked", Text: shortText(p.Error()), Bug: p.Report("Scenario.ErrorKind, or a method of the step's error")}
		}
	}()
	f = &record.Failure{Kind: text.OneLine(kindOf(err)), Text: shortText(err.Error())}
	switch p, panicked := err.(*stepPanic); {
	case panicked:
		f.Bug = p.Report("the step")
	case err == errGoexit:
		f.Goexit = true
	default:
		f.Timeout = isTimeout(err)
	}
	return f
}

// errGoexit is the error of a step that called runtime.Goexit.
var errGoexit = errors.New("goexit: the step ended its goroutine (t.FailNow, require)")

// unreturned is the error of a step that did not return, given what recover returned. exiting says that the
// goroutine cannot go on.
//
//go:noinline
func unreturned(recovered any) (err error, exiting bool) {
	err, exiting = usercode.Cause(recovered)
	if p, ok := err.(*usercode.PanicError); ok {
		return &stepPanic{p}, false
	}
	return errGoexit, exiting
}

// tellTimeout counts a request as timed out that hit Scenario.Timeout, though its error does
// not show it, and gives it the kind of those that do: which error a library makes of it may
// be chance.
func tellTimeout(f *record.Failure, kindOf func(error) string, timeout time.Duration) {
	if f.Timeout || f.Bug != "" || f.Goexit {
		return
	}
	f.Timeout = true
	if reflect.ValueOf(kindOf).Pointer() == reflect.ValueOf(KindOf).Pointer() {
		f.Kind, f.Text = KindTimeout, fmt.Sprintf("the timeout of %v has passed", timeout)
	}
}

// shortText is the text of an error as a result shows it.
func shortText(s string) string { return text.Clip(text.Printable(s), 200) }
