package store

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// fake is a patcher that appends a line to one file and adds another.
type fake struct {
	revision string
	applied  atomic.Int64
	err      error
}

func (f *fake) Revision() string { return f.revision }

func (f *fake) Apply(goroot, _ string) (map[string][]byte, error) {
	f.applied.Add(1)
	if f.err != nil {
		return nil, f.err
	}
	text, err := os.ReadFile(filepath.Join(goroot, "src", "runtime", "proc.go"))
	return map[string][]byte{"runtime/proc.go": append(text, "// changed\n"...), "runtime/added.go": []byte("package runtime\n")}, err
}

// stage is a store and a GOROOT, both new.
func stage(t *testing.T) (*Store, Source, *fake) {
	goroot := filepath.Join(t.TempDir(), "go root")
	write(t, filepath.Join(goroot, "src", "runtime", "proc.go"), "package runtime\n")
	write(t, filepath.Join(goroot, "bin", "go"), "#!/bin/sh\n")
	t.Setenv("QTESTS_CACHE", filepath.Join(t.TempDir(), "the cache"))
	s, err := Open()
	require.NoError(t, err)
	return s, Source{Version: "go1.26.8", GOROOT: goroot}, &fake{revision: "1"}
}

func write(t *testing.T, name, text string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o755))
	require.NoError(t, os.WriteFile(name, []byte(text), 0o644))
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	require.NoError(t, err)
	return string(text)
}

// holds checks that an overlay replaces what the fake changes, and nothing else.
func holds(t *testing.T, o *Overlay) {
	t.Helper()
	var file struct{ Replace map[string]string }
	require.NoError(t, json.Unmarshal([]byte(read(t, o.File)), &file))
	src := filepath.Join(o.GOROOT, "src", "runtime")
	require.Len(t, file.Replace, 2)
	require.Equal(t, read(t, filepath.Join(src, "proc.go"))+"// changed\n", read(t, file.Replace[filepath.Join(src, "proc.go")]))
	require.Equal(t, "package runtime\n", read(t, file.Replace[filepath.Join(src, "added.go")]))
}

func TestOverlayIsWrittenOnce(t *testing.T) {
	s, src, p := stage(t)
	_, err := s.Find(src, p.revision)
	require.ErrorIs(t, err, ErrNotThere)
	first, err := s.Overlay(t.Context(), src, p)
	require.NoError(t, err)
	holds(t, first)
	again, err := s.Overlay(t.Context(), src, p)
	require.NoError(t, err)
	require.Equal(t, first, again)
	require.EqualValues(t, 1, p.applied.Load())
	entries, err := os.ReadDir(s.Dir())
	require.NoError(t, err)
	require.Len(t, entries, 1, "neither a lock nor a temporary file stays")
}

func TestOverlayKey(t *testing.T) {
	s, src, p := stage(t)
	first, err := s.Overlay(t.Context(), src, p)
	require.NoError(t, err)
	seen := map[string]string{first.File: "the first"}
	other := func(what string, src Source, p *fake) {
		before := p.applied.Load()
		o, err := s.Overlay(t.Context(), src, p)
		require.NoError(t, err)
		holds(t, o)
		require.Equal(t, before+1, p.applied.Load(), "applied for %s", what)
		require.Empty(t, seen[o.File], what)
		seen[o.File] = what
	}
	other("a revision", src, &fake{revision: "2"})
	version := src
	version.Version = "go1.26.9"
	other("a version", version, p)
	proc := filepath.Join(src.GOROOT, "src", "runtime", "proc.go")
	write(t, proc, "package runtime // otherwise\n")
	other("another text", src, p)
	write(t, filepath.Join(src.GOROOT, "src", "runtime", "added.go"), "package runtime // there already\n")
	other("another text of an added file", src, p)

	write(t, proc, "package runtime\n")
	require.NoError(t, os.Remove(filepath.Join(src.GOROOT, "src", "runtime", "added.go")))
	before := p.applied.Load()
	back, err := s.Overlay(t.Context(), src, p)
	require.NoError(t, err)
	require.Equal(t, first.File, back.File, "the entry of the first text is still there")
	require.Equal(t, before, p.applied.Load())

	moved := src
	moved.GOROOT = src.GOROOT + "2"
	require.NoError(t, os.Rename(src.GOROOT, moved.GOROOT))
	other("a place", moved, p)
}

func TestDamagedOverlayIsWrittenAnew(t *testing.T) {
	for what, damage := range map[string]func(t *testing.T, dir string){
		"a file is gone": func(t *testing.T, dir string) {
			require.NoError(t, os.Remove(filepath.Join(dir, "src/runtime/added.go")))
		},
		"a file is cut": func(t *testing.T, dir string) {
			require.NoError(t, os.Truncate(filepath.Join(dir, "src/runtime/proc.go"), 3))
		},
		"the overlay is gone":    func(t *testing.T, dir string) { require.NoError(t, os.Remove(filepath.Join(dir, "overlay.json"))) },
		"the overlay is another": func(t *testing.T, dir string) { write(t, filepath.Join(dir, "overlay.json"), `{"Replace":{}}`) },
		"the manifest is gone":   func(t *testing.T, dir string) { require.NoError(t, os.Remove(filepath.Join(dir, "manifest.json"))) },
		"the manifest is empty":  func(t *testing.T, dir string) { write(t, filepath.Join(dir, "manifest.json"), "{}") },
		"the manifest is cut":    func(t *testing.T, dir string) { write(t, filepath.Join(dir, "manifest.json"), `{"Version": "go`) },
		"half of it is there": func(t *testing.T, dir string) {
			require.NoError(t, os.RemoveAll(dir))
			write(t, filepath.Join(dir, "src/runtime/proc.go"), "pack")
		},
	} {
		t.Run(what, func(t *testing.T) {
			s, src, p := stage(t)
			first, err := s.Overlay(t.Context(), src, p)
			require.NoError(t, err)
			damage(t, filepath.Dir(first.File))
			_, err = s.Find(src, p.revision)
			require.ErrorIs(t, err, ErrDamaged)
			again, err := s.Overlay(t.Context(), src, p)
			require.NoError(t, err)
			holds(t, again)
			require.Equal(t, first, again)
			require.EqualValues(t, 2, p.applied.Load())
		})
	}
}

func TestMovedStoreIsWrittenAnew(t *testing.T) {
	s, src, p := stage(t)
	src.Copy = true
	_, err := s.Overlay(t.Context(), src, p)
	require.NoError(t, err)
	moved := &Store{dir: s.dir + "2"}
	require.NoError(t, os.Rename(s.dir, moved.dir))
	o, err := moved.Overlay(t.Context(), src, p)
	require.NoError(t, err)
	holds(t, o)
	require.True(t, moved.Holds(o.GOROOT) && !s.Holds(o.GOROOT))
}

func TestMisfitWritesNothing(t *testing.T) {
	s, src, p := stage(t)
	src.Copy = true
	p.err = &os.PathError{Op: "no fit", Path: "proc.go", Err: errors.New("two places")} // even an error of this type
	_, err := s.Overlay(t.Context(), src, p)
	require.Equal(t, p.err, err)
	require.NoDirExists(t, s.Dir())
}

func TestStoreThatCannotBeWritten(t *testing.T) {
	s, src, p := stage(t)
	write(t, s.Dir(), "a file where the directory would be")
	_, err := s.Overlay(t.Context(), src, p)
	require.ErrorContains(t, err, "cannot write to the cache "+s.Dir()+" (QTESTS_CACHE can name another directory): ")
	require.NotContains(t, err.Error(), "\n")

	require.NoError(t, os.Remove(s.Dir()))
	write(t, filepath.Join(s.Dir(), "overlay"), "a file where a directory would be")
	_, err = s.Overlay(t.Context(), src, p)
	require.ErrorContains(t, err, "cannot write to the cache ")
	entries, err := os.ReadDir(s.Dir())
	require.NoError(t, err)
	require.Len(t, entries, 1, "what was begun is gone")
}

func TestManyMakeOne(t *testing.T) {
	s, src, p := stage(t)
	src.Copy = true
	var group sync.WaitGroup
	all := make([]*Overlay, 10)
	for i := range all {
		group.Go(func() {
			var err error
			if all[i], err = s.Overlay(t.Context(), src, p); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	for _, o := range all {
		require.Equal(t, all[0], o)
	}
	holds(t, all[0])
	require.EqualValues(t, 1, p.applied.Load())
}

func TestClean(t *testing.T) {
	s, src, p := stage(t)
	src.Copy = true
	old, err := s.Overlay(t.Context(), src, p)
	require.NoError(t, err)
	used, err := s.Overlay(t.Context(), src, &fake{revision: "2"})
	require.NoError(t, err)
	user := filepath.Join(t.TempDir(), "user.json")
	write(t, user, `{"Replace":{"/x":"/y"}}`)
	merged, err := s.Merge(t.Context(), used, user, "/")
	require.NoError(t, err)
	write(t, filepath.Join(s.Dir(), "tmp-1", "x"), "left behind")
	write(t, filepath.Join(s.Dir(), "mine"), "of somebody else")

	now := time.Now()
	s.Clean(now.Add(Keep - time.Minute)) // a temporary entry stays for a day
	require.NoDirExists(t, filepath.Join(s.Dir(), "tmp-1"))
	holds(t, old)
	require.FileExists(t, merged)

	long := now.Add(-Keep - freshness - time.Hour)
	for _, o := range []*Overlay{old, used} {
		require.NoError(t, os.Chtimes(filepath.Join(o.dir, usedName), long, long))
	}
	for _, name := range []string{merged, filepath.Join(filepath.Dir(used.GOROOT), usedName)} {
		require.NoError(t, os.Chtimes(name, long, long))
	}
	_, err = s.Overlay(t.Context(), src, &fake{revision: "2"}) // in use: it stays, and so does the copy
	require.NoError(t, err)
	s.Clean(now)
	holds(t, used)
	require.NoDirExists(t, old.dir)
	require.NoFileExists(t, merged)
	require.FileExists(t, filepath.Join(s.Dir(), "mine"))
}

func TestOpen(t *testing.T) {
	t.Setenv("QTESTS_CACHE", "")
	t.Setenv("XDG_CACHE_HOME", "/nowhere/cache")
	s, err := Open()
	require.NoError(t, err)
	require.True(t, strings.HasSuffix(s.Dir(), "qtests"))
	t.Setenv("XDG_CACHE_HOME", "")
	t.Setenv("HOME", "")
	_, err = Open()
	require.ErrorContains(t, err, "QTESTS_CACHE can name one")
}
