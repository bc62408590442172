package store

import (
	"errors"
	"os"
	"path/filepath"
)

// errNoLocks says that this system, or the file system of the store, has no locks.
var errNoLocks = errors.New("no file locks")

// Lock waits until no other process holds the lock of that name in the store, and
// takes it; unlock gives it back, as the end of the process does. When it has to wait
// it calls waiting, once, unless that is nil. Where files cannot be locked it returns
// at once: then two processes may do the same work twice, with the same result.
func (s *Store) Lock(name string, waiting func()) (unlock func(), err error) {
	if err := os.MkdirAll(s.dir, 0o755); err != nil {
		return nil, err
	}
	path := filepath.Join(s.dir, name+".lock")
	for {
		f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
		if err != nil {
			return nil, err
		}
		locked, err := lockFile(f, false)
		if err == nil && !locked {
			if waiting != nil {
				waiting()
				waiting = nil
			}
			_, err = lockFile(f, true)
		}
		if err != nil && !errors.Is(err, errNoLocks) {
			return nil, errors.Join(&os.PathError{Op: "lock", Path: path, Err: err}, f.Close())
		}
		if isStill(f, path) {
			// Removed before it is given back: what waits for it sees that the file is
			// another one now, and nothing of it stays in the store.
			return func() { _, _ = os.Remove(path), f.Close() }, nil
		}
		if err := f.Close(); err != nil {
			return nil, err
		}
	}
}

// isStill reports whether path names the open file f.
func isStill(f *os.File, path string) bool {
	mine, err := f.Stat()
	if err != nil {
		return false
	}
	there, err := os.Stat(path)
	return err == nil && os.SameFile(mine, there)
}
