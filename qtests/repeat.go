package qtests

import (
	"flag"
	"fmt"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/go-qtests/qtests/qtests/internal/ordered"
	"github.com/go-qtests/qtests/qtests/internal/settings"
	"github.com/go-qtests/qtests/qtests/tb"
)

// A command is the line that repeats a test.
type command struct{ pattern, pkg string }

// commandOf describes the test called name.
func commandOf(name string) command { return command{pattern: RunPattern(name), pkg: testPackage()} }

// commandLater is commandOf, with the pattern worked out when somebody asks, which few do.
func commandLater(name string) func() command {
	pkg := testPackage()
	return func() command { return command{pattern: RunPattern(name), pkg: pkg} }
}

var ownPackage atomic.Pointer[string]

// testPackage returns the package under test. It is looked up once: a test binary has files of tests of one package,
// and to read the stack takes a twentieth of a bubble. Where no function in such a file is on the stack, it is
// not known yet.
func testPackage() string {
	if pkg := ownPackage.Load(); pkg != nil {
		return *pkg
	}
	pkg := packageIn(stackHere())
	if pkg != "." {
		ownPackage.Store(&pkg)
	}
	return pkg
}

// stackHere returns the calling goroutine's stack, at most 1,024 frames of it.
func stackHere() []uintptr {
	pcs := make([]uintptr, 1024)
	return pcs[:runtime.Callers(2, pcs)]
}

// packageIn is the package of the outermost function in a file of tests on a stack, because helpers in between may
// be of any package.
func packageIn(pcs []uintptr) string {
	pkg := "."
	frames := runtime.CallersFrames(pcs)
	for more := true; more; {
		var f runtime.Frame
		if f, more = frames.Next(); strings.HasSuffix(f.File, "_test.go") {
			pkg = packageOf(f.Function)
		}
	}
	return pkg
}

// packageOf returns the package to give to go test for a function's name, such as
// example.com/shop/cart_test.TestX.func1.
func packageOf(function string) string {
	slash := strings.LastIndexByte(function, '/') + 1
	if dot := strings.IndexByte(function[slash:], '.'); dot > 0 {
		// The runtime writes a dot of the path's last element as %2e.
		return strings.ReplaceAll(strings.TrimSuffix(function[:slash+dot], "_test"), "%2e", ".")
	}
	return "."
}

// RepeatCommand returns the command that repeats t: the go test of its package, or on
// the ordered runtime the go tool qtests test, its name and its seed, with further flags for the test binary. The package is
// known from the first [Run] of the process on, or from the first call of RepeatCommand below a function in a file of tests.
// Before, it is the package of the directory.
func RepeatCommand(t tb.TB, flags ...string) string {
	var c command
	if q, ok := t.(interface{ command() command }); ok {
		c = q.command()
	}
	if c == (command{}) {
		c = commandOf(t.Name())
	}
	return strings.Join(append([]string{c.withSeed(tb.SeedOf(t))}, flags...), " ")
}

// RunPattern returns the pattern for go test -run that chooses the test called
// name, and no other, to stand between single quotes.
func RunPattern(name string) string {
	parts := strings.Split(name, "/")
	for i, p := range parts {
		// A quote would end the shell's; the pattern's dot matches it.
		parts[i] = "^" + strings.ReplaceAll(regexp.QuoteMeta(p), "'", ".") + "$"
	}
	return strings.Join(parts, "/")
}

func (c command) withSeed(seed uint64) string {
	// The package comes first: behind a flag that go test does not know, it takes
	// everything for the test binary's, and tests the package of the directory.
	text := fmt.Sprintf("%s %s -run '%s' -%s=%d", ordered.TestCommand(), c.pkg, c.pattern, settings.Seed.Flag, seed)
	if settings.Verify.Get() {
		text += " -" + settings.Verify.Flag
	}
	return text
}

// scaleFlag is a flag of package load, which may not be part of this binary.
const scaleFlag = "qtests.scale"

// withScale is the command with the scale that loads in this process have, from
// wherever they have it.
func (c command) withScale(seed uint64, flags ...string) string {
	text := strings.Join(append([]string{c.withSeed(seed)}, flags...), " ")
	f := flag.Lookup(scaleFlag)
	if f == nil {
		return text
	}
	if v, ok := f.Value.(flag.Getter); ok {
		if scale, ok := v.Get().(float64); ok && scale != 1 {
			text += " -" + scaleFlag + "=" + strconv.FormatFloat(scale, 'g', -1, 64)
		}
	}
	return text
}

// changedSettings are the settings of this process that are not the default, but for the seed, which
// the command that repeats has.
func changedSettings() string {
	var all []string
	flag.VisitAll(func(f *flag.Flag) {
		if strings.HasPrefix(f.Name, "qtests.") && f.Name != settings.Seed.Flag && f.Value.String() != f.DefValue {
			all = append(all, fmt.Sprintf("-%s=%v (default %q)", f.Name, f.Value, f.DefValue))
		}
	})
	return strings.Join(all, ", ")
}
