package store

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// copied is what is noted about a copy of a GOROOT.
type copied struct {
	Version, GOROOT string
	Entries         int // files and directories
}

func (s *Store) copyDir(src Source) string {
	return filepath.Join("goroot", src.Version+"-"+hash(src.Version, src.GOROOT))
}

// copyOf is where the copy of a source's GOROOT belongs.
func (s *Store) copyOf(src Source) string { return filepath.Join(s.dir, s.copyDir(src), "go") }

// checkCopy reports whether the copy is there with as many entries as it was made
// with. Its files are those of the original, linked.
func (s *Store) checkCopy(src Source) error {
	var c copied
	if readJSON(filepath.Join(s.dir, s.copyDir(src), "manifest.json"), &c) != nil {
		return ErrNotThere
	}
	if c.Version != src.Version || c.GOROOT != src.GOROOT || c.Entries != count(s.copyOf(src)) {
		return ErrDamaged
	}
	return nil
}

// count is the number of entries below dir. What cannot be read is missing.
func count(dir string) int {
	n := 0
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		n++
		if e.IsDir() {
			n += count(filepath.Join(dir, e.Name()))
		}
	}
	return n
}

// copyGOROOT copies a GOROOT by hard links, and by bytes where the file system has
// none between the two, unless the copy is there. It is called under a lock.
func (s *Store) copyGOROOT(src Source) error {
	if s.checkCopy(src) == nil {
		return nil
	}
	return s.publish(s.copyDir(src), func(dir string) error {
		c := copied{Version: src.Version, GOROOT: src.GOROOT}
		to := filepath.Join(dir, "go")
		if err := os.Mkdir(to, 0o755); err != nil {
			return err
		}
		err := filepath.WalkDir(src.GOROOT, func(name string, e fs.DirEntry, err error) error {
			if err != nil || name == src.GOROOT {
				return err
			}
			c.Entries++
			rel, err := filepath.Rel(src.GOROOT, name)
			if err != nil {
				return err
			}
			return copyEntry(name, filepath.Join(to, rel), e)
		})
		if err != nil {
			return fmt.Errorf("copying %s: %w", src.GOROOT, err)
		}
		return os.WriteFile(filepath.Join(dir, "manifest.json"), mustJSON(c), 0o644)
	})
}

// copyEntry copies one entry. Directories can be written to, unlike those of the
// module cache, so that the copy can be removed again.
func copyEntry(from, to string, e fs.DirEntry) error {
	switch {
	case e.IsDir():
		return os.Mkdir(to, 0o755)
	case e.Type()&fs.ModeSymlink != 0:
		target, err := os.Readlink(from)
		if err != nil {
			return err
		}
		return os.Symlink(target, to)
	case os.Link(from, to) == nil:
		return nil
	}
	return copyBytes(from, to)
}

func copyBytes(from, to string) (err error) {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close() //nolint:errcheck // it was only read
	info, err := in.Stat()
	if err != nil {
		return err
	}
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, info.Mode().Perm())
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}
