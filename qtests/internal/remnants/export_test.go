package remnants

import (
	"reflect"
	"testing"
	"time"
)

// Looks is how many looks a body is given.
const Looks = remnantLooks

// CountCollections counts what the bubbles of a test make the process collect.
func CountCollections(t *testing.T) *int {
	n := 0
	before := process.collect
	process.collect = func() { n++; before() }
	t.Cleanup(func() { process.collect = before })
	return &n
}

// SetLong says from where on a body counts as heavy, for one test.
func SetLong(t *testing.T, d time.Duration) {
	process.long = d
	t.Cleanup(func() { process.long = heavyBody })
}

// MayBePooled reports whether a body is known to leave something in a pool, or not known.
func MayBePooled(t *testing.T, body any) bool {
	k := process.kinds[Kind{t.Name(), reflect.ValueOf(body).Pointer()}]
	return k == pooledRemains || k == unknownRemains
}
