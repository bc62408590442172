package qtests

import (
	"fmt"
	"os"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"unsafe"

	"github.com/go-qtests/qtests/qtests/internal/stacks"
)

// whyNotHere says why the runtime or the testing package would panic if Run began a bubble here, which ends the process,
// with the line of Run's caller, or "".
func whyNotHere(t *testing.T) string {
	if stacks.InBubble() {
		return stacks.CallerOf(3) + ": Run inside a bubble: bubbles do not nest. Call the inner body directly with the q at hand, or make it a test of its own"
	}
	if ending := outerCleanups.of(t); ending.IsValid() && ending.Uint() != 0 {
		return stacks.CallerOf(3) + ": Run in a Cleanup: a test that is ending cannot start a bubble. Move it to the end of the test"
	}
	return ""
}

// An outerGuard finds out what a body has tied to the outer test. It sees the contexts
// derived directly from t.Context(): it misses one derived before Run and again inside, and it
// counts one that a goroutine outside derives while the bubble runs. What the testing package
// keeps to itself is read by reflection, and never changed; in a version of Go that keeps it
// elsewhere, there is no guard.
type outerGuard struct {
	contexts, subtests, ran reflect.Value // map, slice and flag, each possibly invalid
	nContexts, nSubtests    int
	hadSubtests             bool
	cancel                  reflect.Value // of the outer context, possibly invalid
	looked                  atomic.Bool   // by endContexts, or by leave
}

func guardOuter(t *testing.T) *outerGuard {
	// A done channel made inside a bubble must not be closed from outside, which
	// is what happens at the end of the test. It is made on first use: now.
	ctx := t.Context()
	_ = ctx.Done()
	g := &outerGuard{
		contexts: contextChildren.of(ctx),
		subtests: outerSubtests.of(t),
		ran:      outerHadSubtest.of(t),
		cancel:   outerCancel.of(t),
	}
	g.nContexts, g.nSubtests = length(g.contexts), length(g.subtests)
	g.hadSubtests = g.ran.IsValid() && g.ran.Uint() != 0
	return g
}

// endContexts is called inside, at the end of the bubble. It returns what to fail the test for
// if contexts of the outer test are left, and has the testing package cancel them now: at the
// end of the test it would do so from outside, which ends the process.
func (g *outerGuard) endContexts() (problem string) {
	if g.looked.Swap(true) {
		return "" // left behind: the test outside has its end, and the contexts theirs
	}
	problem = g.contextsLeft()
	if problem != "" && g.cancel.IsValid() {
		cancel := reflect.NewAt(g.cancel.Type(), unsafe.Pointer(g.cancel.UnsafeAddr())).Elem()
		cancel.Call(nil)
	}
	return problem
}

// leave keeps endContexts from the test outside, which goes on without the bubble.
func (g *outerGuard) leave() { g.looked.Store(true) }

// check is called outside, when the bubble has ended or was left behind, and returns what to
// fail the test for. What it finds then ends the process with the test, so it says so at once.
func (g *outerGuard) check() (problems []string) {
	if problem := g.contextsLeft(); problem != "" {
		problems = append(problems, problem)
	}
	parallel := length(g.subtests) > g.nSubtests
	if parallel || g.ran.IsValid() && !g.hadSubtests && g.ran.Uint() != 0 {
		problems = append(problems, "qtests: t.Run of the test outside was called inside the bubble: there are no subtests in a bubble. Turn it round: t.Run outside, and qtests.Run in each subtest")
	}
	if (parallel || length(g.contexts) > g.nContexts) && !testing.Verbose() {
		printAtOnce("%s\n%s", strings.Join(problems, "\n"), endsProcess)
	}
	return problems
}

func (g *outerGuard) contextsLeft() (problem string) {
	n := length(g.contexts) - g.nContexts
	if n <= 0 {
		return ""
	}
	return fmt.Sprintf("qtests: %d context(s) derived inside the bubble from the t.Context() of the test outside are still alive; their cancellation from outside would end the process. Derive them from q.Context(), and call their cancel functions", n)
}

// A private is a field of a type of another package, which is found by its name once: to search a testing.T for it takes
// longer than all else that guards it.
type private struct {
	kind  reflect.Kind
	path  []string
	found atomic.Pointer[privatePlace]
}

type privatePlace struct {
	in    reflect.Type
	index []int // none where the type has no such field, of that kind
}

var (
	contextChildren = private{kind: reflect.Map, path: []string{"children"}}
	outerSubtests   = private{kind: reflect.Slice, path: []string{"common", "sub"}}
	outerHadSubtest = private{kind: reflect.Uint32, path: []string{"common", "hasSub", "v"}}
	outerCancel     = private{kind: reflect.Func, path: []string{"common", "cancelCtx"}}
	outerCleanups   = private{kind: reflect.Uint32, path: []string{"common", "cleanupStarted", "v"}}
)

// of returns the field in what v points to, or the zero Value where there is none.
func (p *private) of(v any) reflect.Value {
	to := reflect.ValueOf(v)
	if to.Kind() != reflect.Pointer {
		return reflect.Value{}
	}
	to = to.Elem()
	at := p.found.Load()
	if at == nil || at.in != to.Type() {
		at = &privatePlace{to.Type(), p.indexIn(to.Type())}
		p.found.Store(at)
	}
	if at.index == nil {
		return reflect.Value{}
	}
	return to.FieldByIndex(at.index)
}

func (p *private) indexIn(typ reflect.Type) (index []int) {
	for _, name := range p.path {
		if typ.Kind() != reflect.Struct {
			return nil
		}
		f, ok := typ.FieldByName(name)
		if !ok || len(f.Index) > 1 {
			return nil
		}
		index, typ = append(index, f.Index[0]), f.Type
	}
	if typ.Kind() != p.kind {
		return nil
	}
	return index
}

func length(v reflect.Value) int {
	if !v.IsValid() {
		return 0
	}
	return v.Len()
}

// printAtOnce prints to standard error what go test would show only when the test
// has ended: without -v a fatal error of the runtime would hide it.
func printAtOnce(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "%s\n", strings.TrimRight(fmt.Sprintf(format, args...), "\n"))
}

// endsProcess follows a report of goroutines that a bubble has left.
const endsProcess = "\nIf the process ends now with a fatal error about a synctest channel or timer, that is why: something outside, " +
	"such as the Close of an httptest.Server, a finalizer or the timeout of a context, touched what the bubble left. " +
	"Make and close it inside (q.Serve is a server in memory), or outside only what the bubble does not use."
