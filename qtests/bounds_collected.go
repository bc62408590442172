package qtests

import (
	"fmt"
	"reflect"
	"runtime"
	"weak"

	"github.com/go-qtests/qtests/qtests/internal/sites"
	"github.com/go-qtests/qtests/qtests/internal/stacks"
	"github.com/go-qtests/qtests/qtests/tb"
)

// tinySize is the size, in bytes, below which the runtime packs objects without
// pointers together.
const tinySize = 16

// Collected fails t if the object that obj points to is still reachable when t
// has ended: when the cleanups registered after this call have run, and in a
// bubble when all have. obj itself does not keep the object.
//
//	conn := Dial()
//	qtests.Collected(t, conn)
//	…
//	conn.Close()
//
// A variable of the test function does not hold an object after its last use.
// What a package variable, a cache, a goroutine or a timer reaches is held; and,
// outside of bubbles, what a cleanup refers to that was registered before this
// call and is still to run.
//
// Some types cannot be watched, and Collected fails with the reason: those
// without size, which have no place of their own in memory; those of less than 16
// bytes without pointers, which share a block with others and live as long as any
// of them; and pointers, slices, strings, maps, channels, functions and
// interfaces, where obj would point to a variable and not to what that refers to.
// A variable of a package is never collected.
func Collected[O any](t tb.TB, obj *O) {
	t.Helper()
	typ := reflect.TypeFor[O]()
	if obj == nil {
		tb.Fatalf(t, "qtests: Collected: the *%v is nil", typ)
	}
	if reason := unwatchable(typ); reason != "" {
		tb.Fatalf(t, "qtests: Collected cannot watch a %v: %s", typ, reason)
	}
	ref, where := weak.Make(obj), stacks.CallerOf(2)
	check := func() bool {
		const tries = 5
		for range tries {
			if collect(); ref.Value() == nil {
				return true
			}
			runtime.Gosched()
		}
		return false
	}
	atEnd(t, func() {
		if check() {
			return
		}
		// The testing package still refers to the cleanups that have run, from
		// the unused end of its list. Others push them out.
		t.Cleanup(func() {
			t.Helper()
			if !check() {
				t.Errorf("qtests: the %v (%s) of Collected at %s in %s is still reachable at the end of the test, after many collections. Something holds it: a package variable, a cache, a goroutine, a timer, or a cleanup that is still to run",
					typ, sites.FormatBytes(int64(typ.Size())), where, t.Name())
			}
		})
		for range pushedCleanups {
			t.Cleanup(func() {})
		}
	})
}

// pushedCleanups is more than the cleanups of a reasonable test.
const pushedCleanups = 1000

// atEnd registers f for the end of t: of all there is, in a bubble, and otherwise
// of what is registered from now on.
func atEnd(t tb.TB, f func()) {
	if q, ok := t.(*T); ok {
		q.last = append(q.last, f)
		return
	}
	t.Cleanup(f)
}

// unwatchable says why the collection of a typ cannot be seen, or "".
func unwatchable(typ reflect.Type) string {
	switch typ.Kind() {
	case reflect.Pointer, reflect.UnsafePointer:
		return "the argument points to a pointer variable, not to the object. Pass the pointer itself"
	case reflect.Slice, reflect.String:
		return fmt.Sprintf("the argument points to a %v variable, not to the elements. Pass the address of the first one, or of a struct around it", typ.Kind())
	case reflect.Map, reflect.Chan, reflect.Func, reflect.Interface:
		return fmt.Sprintf("the argument points to a %v variable, not to what it refers to. Watch a struct that is reachable only through it", typ.Kind())
	}
	switch {
	case typ.Size() == 0:
		return "it has no size, and all such objects have one address, which is never collected"
	case typ.Size() < tinySize && !hasPointers(typ):
		return fmt.Sprintf("it has %d bytes and no pointers, and the runtime packs such objects of less than %d bytes into one block, which lives as long as any of them. Watch the struct that it belongs to, or one with a pointer in it", typ.Size(), tinySize)
	}
	return ""
}

// hasPointers reports whether the collector looks into a typ.
func hasPointers(typ reflect.Type) bool {
	switch typ.Kind() {
	case reflect.Array:
		return typ.Len() > 0 && hasPointers(typ.Elem())
	case reflect.Struct:
		for i := range typ.NumField() {
			if hasPointers(typ.Field(i).Type) {
				return true
			}
		}
		return false
	case reflect.Pointer, reflect.UnsafePointer, reflect.Slice, reflect.String, reflect.Map, reflect.Chan, reflect.Func, reflect.Interface:
		return true
	}
	return false
}
