package stacks

import (
	"fmt"
	"reflect"
	"runtime"
	"strings"
)

// A Position is a line of code.
type Position struct {
	file string
	line int
}

func (p Position) String() string {
	if p == (Position{}) {
		return "a line of qtests" // which goes on by itself, in a goroutine of its own
	}
	return fmt.Sprintf("%s:%d", p.file, p.line)
}

// UserCaller returns the innermost line of the user's code on the stack: that of no
// package of qtests, save for its tests, nor of the standard library. Where there is
// none, as in a goroutine of a package's own, it is the innermost outside the ground
// floor.
func UserCaller() (outside Position) {
	var pcs [64]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(3, pcs[:])])
	for more := true; more; {
		var f runtime.Frame
		f, more = frames.Next()
		here := Position{f.File, f.Line}
		if strings.HasSuffix(f.File, "_test.go") {
			return here
		}
		ground, standard := onGroundFloor(f.Function), InStandardLibrary(f.Function, f.File)
		if !ground && !standard && !strings.HasPrefix(f.Function, house+"/") {
			return here
		}
		machinery := strings.HasPrefix(f.Function, "runtime.") || f.Function == "time.goFunc"
		if outside == (Position{}) && !ground && !machinery {
			outside = here
		}
	}
	return outside
}

// house is the path of package qtests, below which all its packages lie.
var house = strings.TrimSuffix(reflect.TypeFor[Goroutine]().PkgPath(), "/internal/stacks")

// GroundFloor begins the name of every function of package qtests.
var GroundFloor = house + "."

// onGroundFloor reports whether a function is of package qtests, of an internal package
// of it, or of package event, whose timeline calls what happens.
func onGroundFloor(function string) bool {
	rest, ok := strings.CutPrefix(function, house)
	return ok && (strings.HasPrefix(rest, ".") || strings.HasPrefix(rest, "/internal/") || strings.HasPrefix(rest, "/event."))
}
