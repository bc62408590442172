package share

import (
	"errors"
	"fmt"
	"hash/fnv"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync"
	"unicode"
)

// A Room is the directory in which the parts of one run meet, and leave what they have.
type Room struct {
	Share
	Dir string
}

// Open makes the room of a run: a directory below results, which is the same for all parts. of says what
// runs, such as a test and a scenario. The k-th run of the same in this process has the k-th room.
func (s Share) Open(results string, of ...string) (Room, error) {
	dir := filepath.Join(results, roomName(rooms.next(of), of))
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return Room{}, fmt.Errorf("%s: %w", ResultsVar, err)
	}
	return Room{s, dir}, nil
}

// rooms counts the runs of this process.
var rooms counter

type counter struct {
	mu struct {
		sync.Mutex
		times map[string]int
	}
}

func (c *counter) next(of []string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.mu.times == nil {
		c.mu.times = map[string]int{}
	}
	key := strings.Join(of, "\x00")
	c.mu.times[key]++
	return c.mu.times[key]
}

// roomName is readable, and different for different runs: it ends in a digest of the package of the
// tests and of what runs.
func roomName(k int, of []string) string {
	h := fnv.New32a()
	if info, ok := debug.ReadBuildInfo(); ok {
		_, _ = h.Write([]byte(info.Path)) // documented never to fail
	}
	for _, s := range of {
		_, _ = h.Write([]byte("\x00" + s))
	}
	name := strings.Map(func(c rune) rune {
		if c < 128 && (unicode.IsLetter(c) || unicode.IsDigit(c) || c == '-' || c == '_') {
			return c
		}
		return '-'
	}, strings.Join(of, "-"))
	if len(name) > 80 {
		name = name[:80]
	}
	return fmt.Sprintf("%s-%08x-%d", strings.Trim(name, "-"), h.Sum32(), k)
}

// Name is the name of the run, and of its directory.
func (r Room) Name() string { return filepath.Base(r.Dir) }

// File names a file of this part.
func (r Room) File(kind, suffix string) string { return r.fileOf(r.Index, kind, suffix) }

func (r Room) fileOf(i int, kind, suffix string) string {
	return filepath.Join(r.Dir, fmt.Sprintf("%s-%d-of-%d%s", kind, i, r.Of, suffix))
}

// ErrExists is the error of Write for a file that is there already.
var ErrExists = errors.New("is there already: the parts of another run are in the directory; give each run an empty one")

// Write writes a file as a whole or not at all, and never over another one. It is on the disk when Write returns.
func Write(file string, data []byte) error { return write(file, data, (*os.File).Sync) }

func write(file string, data []byte, sync func(*os.File) error) error {
	temp, err := os.CreateTemp(filepath.Dir(file), ".part-*")
	if err != nil {
		return err
	}
	defer os.Remove(temp.Name()) //nolint:errcheck // it is gone where it was renamed
	_, err = temp.Write(data)
	err = errors.Join(err, temp.Chmod(0o644), sync(temp), temp.Close())
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return place(temp.Name(), file)
}

// place gives a file its name. A link fails where the name is taken, and a volume without links has
// to be asked before.
func place(temp, file string) error {
	err := os.Link(temp, file)
	if err == nil {
		return nil
	}
	if _, taken := os.Lstat(file); taken == nil || errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s: %w", file, ErrExists)
	}
	return os.Rename(temp, file)
}
