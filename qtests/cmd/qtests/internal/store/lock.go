package store

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"
)

// errNoLocks says that this system, or the file system of the store, has no locks.
var errNoLocks = errors.New("no file locks")

const (
	firstLook = 5 * time.Millisecond // at a lock that another process has
	lastLook  = 100 * time.Millisecond
)

// Lock waits until no other process holds the lock of that name in the store, and
// takes it; unlock gives it back, as the end of the process does. When it has to wait
// it calls waiting, once, unless that is nil; the end of ctx ends the wait. Where files
// cannot be locked it returns at once: then two processes may do the same work twice,
// with the same result.
func (s *Store) Lock(ctx context.Context, name string, waiting func()) (unlock func(), err error) {
	if err := os.MkdirAll(s.dir, 0o755); err != nil {
		return nil, err
	}
	path := filepath.Join(s.dir, name+".lock")
	for pause := firstLook; ; pause = min(2*pause, lastLook) {
		unlock, err := tryLock(path)
		if unlock != nil || err != nil {
			return unlock, err
		}
		if waiting != nil {
			waiting()
			waiting = nil
		}
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-time.After(pause):
		}
	}
}

// tryLock returns neither a function nor an error when another process has the lock.
func tryLock(path string) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, err
	}
	locked, err := lockFile(f)
	if err != nil && !errors.Is(err, errNoLocks) {
		return nil, errors.Join(&os.PathError{Op: "lock", Path: path, Err: err}, f.Close())
	}
	// A lock is removed before it is given back, so that nothing of it stays in the
	// store. Then this file is no longer the one at path.
	if !locked || !isStill(f, path) {
		return nil, f.Close()
	}
	return func() { _, _ = os.Remove(path), f.Close() }, nil
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
