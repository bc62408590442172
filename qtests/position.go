package qtests

import (
	"fmt"
	"runtime"
	"strings"
)

// A position is a line of code.
type position struct {
	file string
	line int
}

func (p position) String() string {
	if p == (position{}) {
		return "a line of qtests" // which goes on by itself, in a goroutine of its own
	}
	return fmt.Sprintf("%s:%d", p.file, p.line)
}

// userCaller returns the innermost line of the user's code on the stack: that of no
// package of qtests, save for its tests, nor of the standard library. Where there is
// none, as in a goroutine of a package's own, it is the innermost outside the ground
// floor.
func userCaller() (outside position) {
	var pcs [64]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(3, pcs[:])])
	for more := true; more; {
		var f runtime.Frame
		f, more = frames.Next()
		here := position{f.File, f.Line}
		if strings.HasSuffix(f.File, "_test.go") {
			return here
		}
		ground, standard := strings.HasPrefix(f.Function, groundFloor), inStandardLibrary(f.Function, f.File)
		if !ground && !standard && !strings.HasPrefix(f.Function, house) {
			return here
		}
		machinery := strings.HasPrefix(f.Function, "runtime.") || f.Function == "time.goFunc"
		if outside == (position{}) && !ground && !machinery {
			outside = here
		}
	}
	return outside
}

// house begins the names of the functions of all packages of qtests.
var house = strings.TrimSuffix(groundFloor, ".") + "/"

// groundFloor begins the name of every function of this package.
var groundFloor = func() string {
	pc, _, _, _ := runtime.Caller(0)
	name := runtime.FuncForPC(pc).Name()
	slash := strings.LastIndexByte(name, '/') + 1
	return name[:slash+strings.IndexByte(name[slash:], '.')+1]
}()
