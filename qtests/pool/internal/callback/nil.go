package callback

import "reflect"

// IsNil reports whether what a function of the user returned is nil, in any of the
// ways in which a value can be.
func IsNil(v any) bool {
	if v == nil {
		return true
	}
	switch r := reflect.ValueOf(v); r.Kind() {
	case reflect.Pointer, reflect.Map, reflect.Chan, reflect.Func, reflect.Slice, reflect.UnsafePointer:
		return r.IsNil()
	}
	return false
}
