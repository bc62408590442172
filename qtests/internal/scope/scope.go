// Package scope tells what a test has started from what other tests have, by a profiler label
// that goroutines inherit.
package scope

import (
	"bytes"
	"runtime"
	"runtime/pprof"
	"strconv"
	"strings"
	"sync"

	"github.com/go-qtests/qtests/qtests/internal/stacks"
	"github.com/go-qtests/qtests/qtests/internal/tenancy"
	"github.com/go-qtests/qtests/qtests/tb"
)

// The kinds of scope. A leak check does not look into one below it, which
// reports its own leaks; a bound counts everything below it.
const (
	Bound = "b"
	Check = "c"
)

var scopes struct {
	sync.Mutex
	last uint64
	of   map[string]string // the innermost scope of a test that runs, by the test's name
}

// A Scope is the goroutines that a test started since a certain call.
type Scope struct {
	Test   string // its name
	path   string
	outer  string // the scope around it
	before string // the scope that the test itself was in, if any
	// host is the outermost function of the test's own goroutine, where that is
	// not one of the testing package's, and hostID its id.
	host   string
	hostID uint64
}

// Enter labels the calling goroutine, and so all that it will start. The
// labels that the goroutine had are replaced.
func Enter(t tb.TB, kind string) *Scope {
	t.Helper()
	if problem := stacks.ProveLabels(); problem != "" {
		tb.Fatalf(t, "%s", problem)
	}
	s := &Scope{Test: t.Name(), host: hostFunction(), hostID: stacks.This().ID}
	s.register(kind)
	s.label(t, s.path)
	return s
}

// register makes s the innermost scope of its test. The scope around it is the one that the test had, or else
// the scope of the nearest test around.
func (s *Scope) register(kind string) {
	scopes.Lock()
	defer scopes.Unlock()
	if scopes.of == nil {
		scopes.of = map[string]string{}
	}
	for name := s.Test; name != "" && s.outer == ""; name = name[:max(0, strings.LastIndexByte(name, '/'))] {
		s.outer = scopes.of[name]
	}
	s.before = scopes.of[s.Test]
	scopes.last++
	s.path = s.outer + "/" + kind + strconv.FormatUint(scopes.last, 10)
	scopes.of[s.Test] = s.path
}

// PathOf returns the path of the innermost scope of a test that runs, or "".
func PathOf(test string) string {
	scopes.Lock()
	defer scopes.Unlock()
	return scopes.of[test]
}

// Leave puts the goroutine back into the scope around this one.
func (s *Scope) Leave(t tb.TB) {
	s.unregister()
	s.label(t, s.outer)
}

func (s *Scope) unregister() {
	scopes.Lock()
	defer scopes.Unlock()
	if scopes.of[s.Test] == s.path {
		delete(scopes.of, s.Test)
		if s.before != "" {
			scopes.of[s.Test] = s.before
		}
	}
}

func (s *Scope) label(t tb.TB, path string) {
	ctx := tb.ContextOf(t)
	if path != "" {
		ctx = pprof.WithLabels(ctx, pprof.Labels(stacks.ScopeLabel, path))
	}
	pprof.SetGoroutineLabels(ctx)
}

// Holds reports whether a goroutine labelled with path is in s or below it.
func (s *Scope) Holds(path string) bool {
	return path == s.path || strings.HasPrefix(path, s.path+"/")
}

// AnswersFor is Holds without the scopes below that have a leak check.
func (s *Scope) AnswersFor(path string) bool {
	return s.Holds(path) && !strings.Contains(path[len(s.path):], "/"+Check)
}

// Count returns how many goroutines carry a label that match accepts, without
// those that run tests. It reads the goroutine profile, which costs a fraction of
// a dump and shows labels.
func (s *Scope) Count(match func(path string) bool) int {
	var profile bytes.Buffer
	_ = pprof.Lookup("goroutine").WriteTo(&profile, 1) // a buffer takes everything
	n, hosts := 0, 0
	stacks.EachProfiled(profile.Bytes(), func(r stacks.Profiled) {
		switch {
		case r.Scope == "" || !match(r.Scope) || tenancy.RunsTests(r.Root):
		case s.host != "" && r.Root == s.host:
			hosts += r.N
		default:
			n += r.N
		}
	})
	return n + max(0, hosts-1)
}

// List returns the goroutines that carry a label that match accepts, each with
// its stack, without those that run tests.
func (s *Scope) List(match func(path string) bool) []stacks.Goroutine {
	all := stacks.Where(stacks.LabelledDump(), func(h *stacks.Header) bool {
		path := h.Label(stacks.ScopeLabel)
		return path != "" && match(path)
	})
	kept := all[:0]
	for _, g := range all {
		// The stack of a bubble's body is cut, and has no creator.
		if g.ID != s.hostID && !tenancy.RunsTests(g.Outermost) && g.Creator() != "" {
			kept = append(kept, g)
		}
	}
	return kept
}

// hostFunction returns the outermost function of the calling goroutine, or "" if
// it belongs to the testing package, whose goroutines are never counted.
func hostFunction() string {
	var outermost string
	frames := runtime.CallersFrames(callers())
	for more := true; more; {
		var f runtime.Frame
		f, more = frames.Next()
		if f.Function != "" && !strings.HasPrefix(f.Function, "runtime.") {
			outermost = f.Function
		}
	}
	if strings.HasPrefix(outermost, "testing.") {
		return ""
	}
	return outermost
}

// callers returns the whole stack of the calling goroutine, however deep.
func callers() []uintptr {
	pcs := make([]uintptr, 64)
	for {
		n := runtime.Callers(1, pcs)
		if n < len(pcs) {
			return pcs[:n]
		}
		pcs = make([]uintptr, 2*len(pcs))
	}
}
