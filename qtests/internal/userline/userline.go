// Package userline finds the line of the user's code for which something of qtests
// reports. The testing package puts a line before what a test logs: the
// one that called Logf, or one further out where functions called Helper. Deep
// below a driver of database/sql, or a transport of net/http, that is a line of
// qtests, which tells the reader nothing.
package userline

import (
	"fmt"
	"io"
	"path/filepath"
	"reflect"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/go-qtests/qtests/qtests/internal/site"
)

// A TB is what Logf needs of a test.
type TB interface {
	Helper()
	Logf(format string, args ...any)
}

// Logf logs to t with the user's line in front. Where that is not known, or t is
// of another type than those of the testing package and of qtests, which may want
// to see what is logged, it is t.Logf.
func Logf(t TB, format string, args ...any) {
	t.Helper()
	if w := outputOf(t); w != nil {
		if line := Of(Stack()); line != "" {
			Print(w, line, format, args...)
			return
		}
	}
	t.Logf(format, args...)
}

// Errorf is Logf for a failure.
func Errorf(t interface {
	TB
	Errorf(format string, args ...any)
}, format string, args ...any) {
	t.Helper()
	line := Of(Stack())
	if line == "" || !FailT(t, line, fmt.Sprintf(format, args...)) {
		t.Errorf(format, args...)
	}
}

// FailT fails a *qtests.T at a line, and returns false for anything else. Package qtests sets it.
var FailT = func(t any, line, text string) bool { return false }

// OutputOfT returns where a *qtests.T logs, and nil for anything else. Package
// qtests, which this one cannot import, sets it.
var OutputOfT = func(any) io.Writer { return nil }

func outputOf(t TB) io.Writer {
	switch t := t.(type) {
	case *testing.T:
		return t.Output()
	case *testing.B:
		return t.Output()
	}
	return OutputOfT(t)
}

// Print writes what a test logs at a line, as the testing package does.
func Print(w io.Writer, line, format string, args ...any) {
	text := strings.TrimRight(fmt.Sprintf(format, args...), "\n")
	fmt.Fprintf(w, "%s: %s\n", line, strings.ReplaceAll(text, "\n", "\n    "))
}

// Stack returns the calling goroutine's stack, at most 64 frames of it, for Of.
func Stack() []uintptr {
	var pcs [64]uintptr
	return append([]uintptr(nil), pcs[:runtime.Callers(2, pcs[:])]...)
}

// Of returns the file, without its directory, and the line of the innermost
// function of a stack that is the user's: outside of the standard library and of
// qtests, save for its tests, and outside of other modules where there is such a
// one. It is "" where there is none.
func Of(stack []uintptr) string {
	if len(stack) == 0 {
		return ""
	}
	var outside string
	frames := runtime.CallersFrames(stack)
	for more := true; more; {
		var f runtime.Frame
		f, more = frames.Next()
		if f.Function == "" || isOurs(f) || isStandard(f) {
			continue
		}
		line := fmt.Sprintf("%s:%d", filepath.Base(f.File), f.Line)
		if !ofOtherModule(f.File) {
			return line
		}
		if outside == "" {
			outside = line
		}
	}
	return outside
}

func isOurs(f runtime.Frame) bool {
	rest, ours := strings.CutPrefix(f.Function, house)
	ours = ours && (strings.HasPrefix(rest, ".") || strings.HasPrefix(rest, "/"))
	return ours && !strings.HasSuffix(f.File, "_test.go")
}

// ofOtherModule reports whether a file is of a module that the go command has downloaded: with
// -trimpath its version is what is left of the module cache.
func ofOtherModule(file string) bool {
	return strings.Contains(file, "/pkg/mod/") || strings.Contains(file, "/vendor/") || strings.Contains(file, "@v")
}

func isStandard(f runtime.Frame) bool {
	if trimmed {
		return standardByName(f.Function, module)
	}
	return site.Standard(f.Function, f.File)
}

// standardByName tells the standard library by the names of its packages, which have no dot
// in their first element. Package main has none either, nor need the module of the test.
func standardByName(function, module string) bool {
	first, _, more := strings.Cut(function, "/")
	if !more {
		first, _, _ = strings.Cut(function, ".")
	}
	own, _, _ := strings.Cut(module, "/")
	return !strings.Contains(first, ".") && !strings.Contains(first, "%2e") && first != "main" && first != own
}

// trimmed reports whether the names of files in this binary have no directories.
var trimmed = func() bool {
	f := runtime.FuncForPC(reflect.ValueOf(strings.Clone).Pointer())
	file, _ := f.FileLine(f.Entry())
	return file == "strings/clone.go"
}()

// module is the path of the module of this binary, or "" where that is not known.
var module = func() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	return info.Main.Path
}()

// house begins the names of the functions of all packages of qtests: a dot or a
// slash follows.
var house = func() string {
	path := reflect.TypeFor[TB]().PkgPath()
	return strings.TrimSuffix(path, "/internal/userline")
}()
