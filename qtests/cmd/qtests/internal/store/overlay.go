package store

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Source is the standard library that is to be changed.
type Source struct {
	Version string // of Go, such as go1.26.8
	GOROOT  string
	// Copy says that no overlay reaches GOROOT, so that a copy of it is made.
	Copy bool
}

// Patcher changes a standard library. It is called by one goroutine at a time.
type Patcher interface {
	// Revision changes whenever the changes do.
	Revision() string
	// Apply reads the sources of a GOROOT and returns the text of every file that is
	// changed or added, by its slash-separated name below GOROOT/src. The error says
	// what does not fit.
	Apply(goroot, version string) (map[string][]byte, error)
}

// Overlay is an overlay of the standard library, in the store.
type Overlay struct {
	// File is what the flag -overlay names.
	File string
	// GOROOT is the one whose files File replaces: the source's, or its copy.
	GOROOT string
	// Copied says that GOROOT is a copy.
	Copied bool

	dir     string            // the entry of the store
	replace map[string]string // what File says
}

// manifest is what an entry was made from, and what it holds. Texts are given by
// their SHA-256; the text of a file that is not there by "".
type manifest struct {
	Version, GOROOT, Revision string
	Sources                   map[string]string // files of GOROOT/src that are changed or added
	Files                     map[string]string // files of the entry, by the same names
}

// ErrNotThere says that the store has nothing for a source, or nothing whole.
var ErrNotThere = errors.New("not in the store")

// Overlay returns the overlay for a source. It is written when the store has none that
// is whole and made by p from the sources as they are now; then what has not been used
// for long is removed. When the sources do not fit, the error is the one of p, and nothing
// is written.
func (s *Store) Overlay(ctx context.Context, src Source, p Patcher) (*Overlay, error) {
	if o, err := s.Find(src, p.Revision()); err == nil {
		s.use(o)
		return o, nil
	}
	var made *Overlay
	var misfit error
	err := s.writing(ctx, func() error {
		var err error
		if made, err = s.Find(src, p.Revision()); err == nil {
			return nil // somebody else was first
		}
		var texts map[string][]byte
		if texts, misfit = p.Apply(src.GOROOT, src.Version); misfit != nil {
			return nil
		}
		made, err = s.write(src, p.Revision(), texts)
		return err
	})
	if misfit != nil {
		_ = os.Remove(s.dir) // when nothing is in it
	}
	if err := cmp.Or(misfit, err); err != nil {
		return nil, err
	}
	s.use(made)
	s.Clean(time.Now())
	return made, nil
}

// hash is the part of an entry's name that is known before the sources are read.
func (src Source) hash(revision string) string { return hash(src.Version, src.GOROOT, revision) }

// Find returns the overlay for a source without writing anything. The error says why
// there is none.
func (s *Store) Find(src Source, revision string) (*Overlay, error) {
	goroot := src.GOROOT
	if src.Copy {
		goroot = s.copyOf(src)
		if err := s.checkCopy(src); err != nil {
			return nil, err
		}
	}
	entries, err := os.ReadDir(filepath.Join(s.dir, "overlay"))
	if err != nil {
		return nil, ErrNotThere
	}
	why := ErrNotThere
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), src.hash(revision)+"-") {
			continue
		}
		o := &Overlay{GOROOT: goroot, Copied: src.Copy, dir: filepath.Join(s.dir, "overlay", e.Name())}
		if why = o.check(src, revision); why == nil {
			return o, nil
		}
	}
	return nil, why
}

// ErrDamaged says that an entry is not what was written.
var ErrDamaged = errors.New("damaged")

// check reads an entry and holds it to its manifest, and that to the source.
func (o *Overlay) check(src Source, revision string) error {
	var m manifest
	if readJSON(filepath.Join(o.dir, "manifest.json"), &m) != nil {
		return ErrDamaged
	}
	if m.Version != src.Version || m.GOROOT != src.GOROOT || m.Revision != revision || len(m.Files) == 0 {
		return ErrDamaged
	}
	for name, sum := range m.Files {
		if textOf(filepath.Join(o.dir, "src"), name) != sum {
			return ErrDamaged
		}
	}
	o.File = filepath.Join(o.dir, "overlay.json")
	o.replace = map[string]string{}
	for name := range m.Files {
		file := filepath.Join("src", filepath.FromSlash(name))
		o.replace[filepath.Join(o.GOROOT, file)] = filepath.Join(o.dir, file)
	}
	// Compared and not only read: the store may have been moved.
	if data, err := os.ReadFile(o.File); err != nil || !bytes.Equal(data, overlayJSON(o.replace)) {
		return ErrDamaged
	}
	for name, sum := range m.Sources {
		if textOf(filepath.Join(src.GOROOT, "src"), name) != sum {
			return ErrNotThere // made from other sources
		}
	}
	return nil
}

// textOf is the SHA-256 of a file, and "" when there is none.
func textOf(dir, name string) string {
	data, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
	if err != nil {
		return ""
	}
	return digest(data)
}

// overlayJSON is the file that -overlay names.
func overlayJSON(replace map[string]string) []byte {
	return mustJSON(map[string]any{"Replace": replace})
}

// write makes the entry for a source, and the copy of its GOROOT before.
func (s *Store) write(src Source, revision string, texts map[string][]byte) (*Overlay, error) {
	goroot := src.GOROOT
	if src.Copy {
		if err := s.copyGOROOT(src); err != nil {
			return nil, err
		}
		goroot = s.copyOf(src)
	}
	m := manifest{Version: src.Version, GOROOT: src.GOROOT, Revision: revision, Sources: map[string]string{}, Files: map[string]string{}}
	for name, text := range texts {
		m.Sources[name] = textOf(filepath.Join(src.GOROOT, "src"), name)
		m.Files[name] = digest(text)
	}
	entry := filepath.Join("overlay", src.hash(revision)+"-"+hash(m.Sources))
	replace := map[string]string{}
	err := s.publish(entry, func(dir string) error {
		for name, text := range texts {
			file := filepath.Join("src", filepath.FromSlash(name))
			replace[filepath.Join(goroot, file)] = filepath.Join(s.dir, entry, file)
			if err := os.MkdirAll(filepath.Join(dir, filepath.Dir(file)), 0o755); err != nil {
				return err
			}
			if err := os.WriteFile(filepath.Join(dir, file), text, 0o644); err != nil {
				return err
			}
		}
		// A module of its own, so that ./... of a module around the store leaves it out.
		if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module overlay\n"), 0o644); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, "overlay.json"), overlayJSON(replace), 0o644); err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(dir, "manifest.json"), mustJSON(m), 0o644)
	})
	if err != nil {
		return nil, err
	}
	return s.Find(src, revision)
}

// use notes that an overlay is in use, and its GOROOT when that lies in the store.
func (s *Store) use(o *Overlay) {
	touch(filepath.Join(o.dir, usedName))
	if s.Holds(o.GOROOT) {
		touch(filepath.Join(filepath.Dir(o.GOROOT), usedName))
	}
}

// Holds reports whether a file lies in the store, by its name.
func (s *Store) Holds(name string) bool {
	return strings.HasPrefix(filepath.Clean(name), s.dir+string(filepath.Separator))
}
