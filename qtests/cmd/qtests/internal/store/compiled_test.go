package store

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCompiled(t *testing.T) {
	s, src, p := stage(t)
	o, err := s.Overlay(t.Context(), src, p)
	require.NoError(t, err)
	require.Empty(t, o.AllCompiled())
	proof := filepath.Join(t.TempDir(), "runtime.a")
	write(t, proof, "")
	race := Compiled{How: "linux/amd64 -race=true", Cache: "/c", Proof: proof}
	plain := Compiled{How: "linux/amd64", Cache: "/c", Proof: proof}
	require.False(t, o.IsCompiled(Key("a", "b")))
	require.NoError(t, s.SetCompiled(o, Key("a", "b"), race))
	require.NoError(t, s.SetCompiled(o, Key("a"), plain))
	require.True(t, o.IsCompiled(Key("a", "b")))
	require.False(t, o.IsCompiled(Key("ab")), "the parts are kept apart")
	require.Equal(t, []Compiled{plain, race}, o.AllCompiled())
	again, err := s.Overlay(t.Context(), src, p)
	require.NoError(t, err)
	require.Equal(t, o.dir, again.dir, "notes are no damage")

	require.NoError(t, os.Remove(proof))
	require.False(t, o.IsCompiled(Key("a", "b")), "as after go clean -cache")
	require.Empty(t, o.AllCompiled())
}
