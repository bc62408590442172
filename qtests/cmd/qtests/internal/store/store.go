// Package store keeps what the ordered runtime needs in the user's cache directory:
// the overlays of the standard library, copies of GOROOT, overlays merged with the
// user's own, and notes of what has been compiled.
//
// Whatever is in it may be removed at any time, and is written anew when it is
// needed. Several processes may use one store at once: what they read was moved into
// its place whole, and what one of them is making the others wait for.
package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

const (
	// Keep is how long what nobody uses stays.
	Keep = 30 * 24 * time.Hour

	abandoned = 24 * time.Hour // a temporary directory this old has no process any more
	freshness = time.Hour      // how exactly it is noted when something was last used
	usedName  = "used"
	tmpPrefix = "tmp-"
)

// Store is a directory of the user's.
type Store struct{ dir string }

// Open names the store: the directory QTESTS_CACHE, or qtests in the user's cache
// directory. It makes and reads nothing.
func Open() (*Store, error) {
	if dir := os.Getenv("QTESTS_CACHE"); dir != "" {
		dir, err := filepath.Abs(dir)
		return &Store{dir: dir}, err
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return nil, fmt.Errorf("no cache directory (QTESTS_CACHE can name one): %w", err)
	}
	return &Store{dir: filepath.Join(dir, "qtests")}, nil
}

// Dir is the directory, absolute.
func (s *Store) Dir() string { return s.dir }

// writing runs make while no other process writes to this store. What make
// returns is the error, in words for the user when it is about files.
func (s *Store) writing(ctx context.Context, make func() error) error {
	unlock, err := s.Lock(ctx, "write", nil)
	if err != nil {
		return s.cannotWrite(err)
	}
	defer unlock()
	return s.cannotWrite(make())
}

func (s *Store) cannotWrite(err error) error {
	_, path := errors.AsType[*os.PathError](err)
	_, link := errors.AsType[*os.LinkError](err)
	if path || link {
		return fmt.Errorf("cannot write to the cache %s (QTESTS_CACHE can name another directory): %w", s.dir, err)
	}
	return err
}

// publish has fill a new directory and moves it to name, a path in the store, in one
// step. What was there before is removed. It is called under a lock.
func (s *Store) publish(name string, fill func(dir string) error) error {
	final := filepath.Join(s.dir, name)
	if err := os.MkdirAll(filepath.Dir(final), 0o755); err != nil {
		return err
	}
	tmp, err := os.MkdirTemp(s.dir, tmpPrefix)
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp) //nolint:errcheck // Clean finds what stays
	fresh, stale := filepath.Join(tmp, "new"), filepath.Join(tmp, "old")
	if err := os.Mkdir(fresh, 0o755); err != nil {
		return err
	}
	if err := fill(fresh); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(fresh, usedName), nil, 0o644); err != nil {
		return err
	}
	if err := os.Rename(final, stale); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return os.Rename(fresh, final)
}

// writeFile writes a file of the store in one step.
func (s *Store) writeFile(name string, data []byte) error {
	final := filepath.Join(s.dir, name)
	if err := os.MkdirAll(filepath.Dir(final), 0o755); err != nil {
		return err
	}
	tmp, err := os.CreateTemp(s.dir, tmpPrefix)
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name()) //nolint:errcheck // it has been renamed, or Clean finds it
	_, err = tmp.Write(data)
	if err = errors.Join(err, tmp.Chmod(0o644), tmp.Close()); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), final)
}

// touch notes that name, a file, was used now. A store that cannot be written to
// cannot be cleaned either, so that an error does not matter.
func touch(name string) {
	now := time.Now()
	if info, err := os.Stat(name); err == nil && now.Sub(info.ModTime()) > freshness {
		_ = os.Chtimes(name, now, now)
	}
}

// Clean removes what was last used more than Keep before now, and what processes that
// were killed have left behind.
func (s *Store) Clean(now time.Time) {
	s.clean("overlay", usedName, now.Add(-Keep))
	s.clean("goroot", usedName, now.Add(-Keep))
	s.clean("merged", "", now.Add(-Keep))
	s.clean("points", usedName, now.Add(-Keep))
	s.clean("", "", now.Add(-abandoned))
}

// clean removes the entries of a directory of the store whose file called stamp, or
// which themselves, are older than limit. Of the store itself it removes temporary
// entries alone.
func (s *Store) clean(sub, stamp string, limit time.Time) {
	entries, _ := os.ReadDir(filepath.Join(s.dir, sub)) // there may be none
	for _, e := range entries {
		if sub == "" && !strings.HasPrefix(e.Name(), tmpPrefix) {
			continue
		}
		name := filepath.Join(s.dir, sub, e.Name())
		info, err := os.Stat(filepath.Join(name, stamp))
		if err == nil && info.ModTime().Before(limit) {
			_ = os.RemoveAll(name) // the next one tries again
		}
	}
}

// hash is a name made from all the parts.
func hash(parts ...any) string {
	data, err := json.Marshal(parts)
	if err != nil {
		panic(err) // strings, and slices and maps of strings
	}
	return digest(data)[:16]
}

func digest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

func readJSON(name string, into any) error {
	data, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	return json.Unmarshal(data, into)
}

func mustJSON(v any) []byte {
	data, err := json.MarshalIndent(v, "", "\t")
	if err != nil {
		panic(err) // strings, and slices and maps of strings
	}
	return append(data, '\n')
}
