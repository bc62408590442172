package store

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// A toolchain in the module cache cannot be written to.
func readOnly(t *testing.T, dir string) {
	t.Helper()
	change := func(dirs, files fs.FileMode) {
		require.NoError(t, filepath.WalkDir(dir, func(name string, e fs.DirEntry, err error) error {
			if err != nil || e.Type()&fs.ModeSymlink != 0 {
				return err
			}
			if e.IsDir() {
				return os.Chmod(name, dirs)
			}
			return os.Chmod(name, files)
		}))
	}
	change(0o555, 0o444)
	t.Cleanup(func() { change(0o755, 0o644) })
}

func TestCopyOfGOROOT(t *testing.T) {
	s, src, p := stage(t)
	src.Copy = true
	require.NoError(t, os.Symlink("bin", filepath.Join(src.GOROOT, "link")))
	readOnly(t, src.GOROOT)
	o, err := s.Overlay(t.Context(), src, p)
	require.NoError(t, err)
	require.True(t, o.Copied && s.Holds(o.GOROOT))
	holds(t, o)
	for _, name := range []string{"bin/go", "src/runtime/proc.go", "link/go"} {
		from, err := os.Stat(filepath.Join(src.GOROOT, name))
		require.NoError(t, err)
		to, err := os.Stat(filepath.Join(o.GOROOT, name))
		require.NoError(t, err)
		require.True(t, os.SameFile(from, to), "%s is linked", name)
	}
	other, err := s.Overlay(t.Context(), src, &fake{revision: "2"})
	require.NoError(t, err)
	require.Equal(t, o.GOROOT, other.GOROOT, "one copy for every revision")

	require.NoError(t, os.Remove(filepath.Join(o.GOROOT, "bin", "go")))
	_, err = s.Find(src, p.revision)
	require.ErrorIs(t, err, ErrDamaged)
	again, err := s.Overlay(t.Context(), src, p)
	require.NoError(t, err)
	require.Equal(t, o, again)
	require.FileExists(t, filepath.Join(o.GOROOT, "bin", "go"))
}

func TestCopyByBytes(t *testing.T) {
	dir := t.TempDir()
	from, to := filepath.Join(dir, "from"), filepath.Join(dir, "to")
	write(t, from, "text")
	require.NoError(t, os.Chmod(from, 0o555))
	require.NoError(t, copyBytes(from, to))
	require.Equal(t, "text", read(t, to))
	info, err := os.Stat(to)
	require.NoError(t, err)
	require.Equal(t, fs.FileMode(0o555), info.Mode().Perm())
	require.ErrorIs(t, copyBytes(from, to), os.ErrExist, "nothing is written over")
	require.ErrorIs(t, copyBytes(filepath.Join(dir, "none"), to+"2"), os.ErrNotExist)
}
