package qtests

import (
	"fmt"
	"reflect"
	"runtime"
	"sync"
	"testing"
	"time"
	"unsafe"

	"github.com/go-qtests/qtests/qtests/internal/stacks"
	"github.com/go-qtests/qtests/qtests/tb"
)

// checkStart fails t where the runtime or the testing package would panic, which
// ends the process, because Run is called, with that stack, from where no bubble
// can start.
func checkStart(t *testing.T, pcs []uintptr) {
	if InBubble() {
		t.Errorf("qtests: %s: Run inside a bubble: bubbles do not nest. Call the inner body directly with the q at hand, or make it a test of its own", stacks.CallerOf(3))
		t.FailNow()
	}
	for _, pc := range pcs {
		if f := runtime.FuncForPC(pc - 1); f != nil && f.Name() == "testing.(*common).runCleanup" {
			t.Errorf("qtests: %s: Run in a Cleanup: a test that is ending cannot start a bubble. Move it to the end of the test", stacks.CallerOf(3))
			t.FailNow()
		}
	}
}

// Run is a trap: a bubble has no subtests. It fails the test, with the way out.
func (q *T) Run(name string, _ func(*testing.T)) bool {
	q.Helper()
	tb.Fatalf(q, "qtests: %s: q.Run(%q): there are no subtests in a bubble. Turn it round: t.Run outside, and qtests.Run in each subtest", stacks.CallerOf(2), name)
	return false
}

// Parallel is a trap: it fails the test, with the way out.
func (q *T) Parallel() {
	q.Helper()
	tb.Fatalf(q, "qtests: %s: q.Parallel(): a bubble cannot wait for other tests. Call t.Parallel() before qtests.Run", stacks.CallerOf(2))
}

// Deadline is a trap: it fails the test, with the way out.
func (q *T) Deadline() (deadline time.Time, ok bool) {
	q.Helper()
	tb.Fatalf(q, "qtests: %s: q.Deadline(): the deadline of go test is in real time, which means nothing in a bubble. Call t.Deadline() before qtests.Run", stacks.CallerOf(2))
	return deadline, ok
}

// An outerGuard keeps what a body does with the outer test from ending the
// process. It sees the contexts derived directly from t.Context(): one derived
// before Run and again inside escapes it, and one derived by a goroutine outside
// while the bubble runs is taken for the body's. What the testing package keeps to itself is read by reflection; in a
// version of Go that keeps it elsewhere, there is no guard.
type outerGuard struct {
	contexts, subtests, ran reflect.Value // map, slice and flag, each possibly invalid
	nContexts, nSubtests    int
	hadSubtests             bool
}

func guardOuter(t *testing.T) *outerGuard {
	// A done channel made inside a bubble must not be closed from outside, which
	// is what happens at the end of the test. It is made on first use: now.
	ctx := t.Context()
	_ = ctx.Done()
	g := &outerGuard{
		contexts: private(ctx, reflect.Map, "children"),
		subtests: private(t, reflect.Slice, "common", "sub"),
		ran:      private(t, reflect.Uint32, "common", "hasSub", "v"),
	}
	g.nContexts, g.nSubtests = length(g.contexts), length(g.subtests)
	g.hadSubtests = g.ran.IsValid() && g.ran.Uint() != 0
	return g
}

// check detaches what the body has tied to the outer test, and returns what to
// fail the test for.
func (g *outerGuard) check() (problems []string) {
	if n := length(g.contexts) - g.nContexts; n > 0 {
		g.contexts.SetZero()
		problems = append(problems, fmt.Sprintf("qtests: %d context(s) derived inside the bubble from the t.Context() of the test outside are still alive; their cancellation from outside would end the process. Derive them from q.Context(), and call their cancel functions", n))
	}
	parallel := length(g.subtests) > g.nSubtests
	if parallel {
		g.subtests.SetLen(g.nSubtests)
	}
	if parallel || g.ran.IsValid() && !g.hadSubtests && g.ran.Uint() != 0 {
		problems = append(problems, "qtests: t.Run of the test outside was called inside the bubble: there are no subtests in a bubble. Turn it round: t.Run outside, and qtests.Run in each subtest")
	}
	return problems
}

// private returns the field at the end of path in what v points to, settable, or
// the zero Value where there is none of that kind.
func private(v any, kind reflect.Kind, path ...string) reflect.Value {
	f := reflect.ValueOf(v)
	if f.Kind() != reflect.Pointer {
		return reflect.Value{}
	}
	f = f.Elem()
	for _, name := range path {
		if f.Kind() != reflect.Struct {
			return reflect.Value{}
		}
		i := fieldOf(f.Type(), name)
		if i < 0 {
			return reflect.Value{}
		}
		f = f.Field(i)
	}
	if f.Kind() != kind {
		return reflect.Value{}
	}
	return reflect.NewAt(f.Type(), unsafe.Pointer(f.UnsafeAddr())).Elem()
}

// fields are the places of fields that private has looked up: to search a
// testing.T for one takes longer than all else that guards it.
var fields sync.Map

type fieldName struct {
	in   reflect.Type
	name string
}

// fieldOf returns the place of a field, or -1.
func fieldOf(in reflect.Type, name string) int {
	key := fieldName{in, name}
	if i, ok := fields.Load(key); ok {
		return i.(int)
	}
	i := -1
	if f, ok := in.FieldByName(name); ok && len(f.Index) == 1 {
		i = f.Index[0]
	}
	fields.Store(key, i)
	return i
}

func length(v reflect.Value) int {
	if !v.IsValid() {
		return 0
	}
	return v.Len()
}
