package store

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestTexts: texts are kept under a name made from them, beside what the user's overlay
// replaces, and Merge takes them for the user's.
func TestTexts(t *testing.T) {
	s := &Store{dir: filepath.Join(t.TempDir(), "store")}
	require.NoError(t, os.MkdirAll(s.dir, 0o755))
	dir := t.TempDir()
	a, other := filepath.Join(dir, "a.go"), filepath.Join(dir, "other.go")
	own := filepath.Join(dir, "own.json")
	require.NoError(t, os.WriteFile(own, overlayJSON(map[string]string{"other.go": "by.go"}), 0o644))
	replaced, err := Replaced(own, dir)
	require.NoError(t, err)
	require.Equal(t, map[string]string{other: filepath.Join(dir, "by.go")}, replaced)
	none, err := Replaced("", dir)
	require.NoError(t, err)
	require.Empty(t, none)
	_, err = Replaced("none.json", dir)
	require.ErrorContains(t, err, "reading overlay")

	file, err := s.Texts(t.Context(), map[string][]byte{a: []byte("package a")}, replaced)
	require.NoError(t, err)
	again, err := s.Texts(t.Context(), map[string][]byte{a: []byte("package a")}, replaced)
	require.NoError(t, err)
	require.Equal(t, file, again)
	changed, err := s.Texts(t.Context(), map[string][]byte{a: []byte("package b")}, replaced)
	require.NoError(t, err)
	require.NotEqual(t, file, changed)

	data, err := os.ReadFile(file)
	require.NoError(t, err)
	merged, err := s.merge(map[string]string{"/go/src/x.go": "/x.go"}, data, dir)
	require.NoError(t, err)
	require.Len(t, merged, 3)
	text, err := os.ReadFile(merged[a])
	require.NoError(t, err)
	require.Equal(t, "package a", string(text))
}
