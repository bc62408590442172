package qtests

import (
	"reflect"
	"testing"

	"github.com/stretchr/testify/require"
)

// A holder has the fields that a private looks for.
type holder struct {
	inner  struct{ n int32 }
	names  []string
	nested *holder
}

func TestPrivate(t *testing.T) {
	h := &holder{names: []string{"a", "b"}}
	h.inner.n = 7
	kind := reflect.Int32
	n := private{kind: kind, path: []string{"inner", "n"}}
	require.EqualValues(t, 7, n.of(h).Int())
	h.inner.n = 8
	require.EqualValues(t, 8, n.of(h).Int(), "the place is kept, and not what was there")

	other := &struct {
		before int
		inner  struct{ n int32 }
	}{}
	other.inner.n = 9
	require.EqualValues(t, 9, n.of(other).Int(), "of another type")
	require.EqualValues(t, 8, n.of(h).Int(), "and again of the first")
	_ = other.before

	for name, v := range map[string]any{
		"no pointer": *h, "nothing": nil, "of another kind": &struct{ inner struct{ n string } }{}, "no such field": &struct{ n int32 }{},
		"a field of no struct": &struct{ inner int32 }{}, "a pointer to no struct": &h,
	} {
		require.False(t, n.of(v).IsValid(), name)
	}
	through := private{kind: kind, path: []string{"nested", "inner", "n"}}
	h.nested = h
	require.False(t, through.of(h.nested).IsValid(), "not through a pointer, which may be nil")
	promoted := private{kind: reflect.Slice, path: []string{"names"}}
	require.Equal(t, 2, promoted.of(h).Len())
	require.False(t, promoted.of(&struct{ holder }{*h}).IsValid(), "not what is promoted from an embedded struct: another version may have another of that name")
}
