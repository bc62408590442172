package qtests

import (
	"context"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"
	"unsafe"
)

// checkStart fails t where the runtime or the testing package would panic, which
// ends the process, because Run is called from where no bubble can start.
func checkStart(t *testing.T) {
	t.Helper()
	if thisGoroutine().bubble != 0 {
		t.Errorf("qtests: %s: Run inside a bubble: bubbles do not nest. Call the inner body directly with the q at hand, or make it a test of its own", callerOf(3))
		t.FailNow()
	}
	pcs := make([]uintptr, 64)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs)])
	for more := true; more; {
		var f runtime.Frame
		if f, more = frames.Next(); f.Function == "testing.(*common).runCleanup" {
			t.Errorf("qtests: %s: Run in a Cleanup: a test that is ending cannot start a bubble. Move it to the end of the test", callerOf(3))
			t.FailNow()
		}
	}
}

// Run is a trap: a bubble has no subtests. It fails the test, with the way out.
func (q *T) Run(name string, _ func(*testing.T)) bool {
	q.Helper()
	Fatalf(q, "qtests: %s: q.Run(%q): there are no subtests in a bubble. Turn it round: t.Run outside, and qtests.Run in each subtest", callerOf(2), name)
	return false
}

// Parallel is a trap: it fails the test, with the way out.
func (q *T) Parallel() {
	q.Helper()
	Fatalf(q, "qtests: %s: q.Parallel(): a bubble cannot wait for other tests. Call t.Parallel() before qtests.Run", callerOf(2))
}

// Deadline is a trap: it fails the test, with the way out.
func (q *T) Deadline() (deadline time.Time, ok bool) {
	q.Helper()
	Fatalf(q, "qtests: %s: q.Deadline(): the deadline of go test is in real time, which means nothing in a bubble. Call t.Deadline() before qtests.Run", callerOf(2))
	return deadline, ok
}

// guardContext keeps the context of the outer test from ending the process. Its
// done channel, made inside a bubble on first use, or that of a context derived
// from it there, must not be closed from outside, which is what the testing
// package does when the test ends. The channel is made here, before the bubble
// starts; disarm looks afterwards whether contexts made inside are still attached,
// detaches them and fails the test.
func guardContext(t *testing.T) (disarm func()) {
	t.Helper()
	ctx := t.Context()
	_ = ctx.Done()
	children := contextChildren(ctx)
	before := childCount(children)
	return func() {
		t.Helper()
		if n := childCount(children) - before; n > 0 {
			children.SetZero()
			t.Errorf("qtests: %d context(s) derived from the outer t.Context() inside the bubble are still alive: their cancellation would come from outside, which ends the process. Derive them from q.Context(), and call their cancel functions", n)
		}
	}
}

// contextChildren finds the map in which a context of package context keeps
// those derived from it. It is private; where a version of Go has another one,
// the result is invalid and nothing is guarded.
func contextChildren(ctx context.Context) reflect.Value {
	v := reflect.ValueOf(ctx)
	if v.Kind() != reflect.Pointer || v.Elem().Kind() != reflect.Struct {
		return reflect.Value{}
	}
	f := v.Elem().FieldByName("children")
	if !f.IsValid() || f.Kind() != reflect.Map {
		return reflect.Value{}
	}
	return reflect.NewAt(f.Type(), unsafe.Pointer(f.UnsafeAddr())).Elem()
}

func childCount(children reflect.Value) int {
	if !children.IsValid() {
		return 0
	}
	return children.Len()
}

// userCaller returns the innermost frame that belongs to no package of qtests'
// ground floor.
func userCaller() uintptr {
	var pcs [16]uintptr
	n := runtime.Callers(3, pcs[:])
	for _, pc := range pcs[:n] {
		if f := runtime.FuncForPC(pc - 1); f == nil || !strings.HasPrefix(f.Name(), groundFloor) {
			return pc
		}
	}
	return 0
}

// groundFloor begins the name of every function of this package.
var groundFloor = func() string {
	pc, _, _, _ := runtime.Caller(0)
	name := runtime.FuncForPC(pc).Name()
	slash := strings.LastIndexByte(name, '/') + 1
	return name[:slash+strings.IndexByte(name[slash:], '.')+1]
}()
