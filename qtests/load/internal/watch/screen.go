package watch

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/go-qtests/qtests/qtests/internal/guard"
)

// A Screen shows how the runs of this process stand, in one line that is
// rewritten in place every second. Several runs side by side share the line, because a second line would overwrite
// what the test prints in between. A nil screen shows nothing.
type Screen struct {
	out   io.Writer
	state guard.Value[shown]
}

// shown is what a screen shows.
type shown struct {
	runs []Run // under way, in the order of their starts
	line bool
}

// NewScreen returns a screen that writes to out.
func NewScreen(out io.Writer) *Screen { return &Screen{out: out} }

// theScreen is the screen of the process, or nil without a terminal.
var theScreen = sync.OnceValue(func() *Screen {
	out, err := terminal()
	if err != nil {
		return nil
	}
	return &Screen{out: out}
})

func (s *Screen) add(r Run) {
	if s == nil {
		return
	}
	s.state.Do(func(x *shown) { x.runs = append(x.runs, r) })
}

// draw shows all runs when the first of them asks, and does nothing for the others.
func (s *Screen) draw(r Run) {
	if s == nil {
		return
	}
	s.state.Do(func(x *shown) {
		if len(x.runs) > 0 && x.runs[0] == r {
			x.line = true
			s.Write(x.progress())
		}
	})
}

// progress is the line of all runs.
func (x *shown) progress() string {
	if len(x.runs) == 1 {
		return x.runs[0].Progress()
	}
	var each []string
	for _, r := range x.runs {
		each = append(each, r.Brief())
	}
	return "real: " + strings.Join(each, " | ")
}

// Write shows a line in place of the one before. One wider than the terminal is cut, because a wrapped one could not be rewritten.
func (s *Screen) Write(line string) {
	_, _ = fmt.Fprintf(s.out, "\r\x1b[?7l%s\x1b[K\x1b[?7h", line) // progress is not worth an error
}

// Clear takes the line away.
func (s *Screen) Clear() { _, _ = io.WriteString(s.out, "\r\x1b[K") }

// remove takes the line away, so that what the test prints comes in its place. The runs that are left draw it again.
func (s *Screen) remove(r Run) {
	if s == nil {
		return
	}
	s.state.Do(func(x *shown) {
		x.runs = slices.DeleteFunc(x.runs, func(each Run) bool { return each == r })
		if x.line {
			x.line = false
			s.Clear()
		}
	})
}

// errNoTerminal says that no terminal was found.
var errNoTerminal = errors.New("load: no terminal")

// terminal opens the terminal on which a person would see the progress. With a package on its command line go test
// gives the test pipes for its streams. Then it is the terminal from which the process was started. In CI there is
// none.
func terminal() (*os.File, error) {
	if isTerminal(os.Stderr) {
		return os.Stderr, nil
	}
	tty, _ := os.OpenFile("/dev/tty", os.O_WRONLY, 0) // a nil file is no terminal
	if !isTerminal(tty) {
		return nil, errNoTerminal
	}
	return tty, nil
}

func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
