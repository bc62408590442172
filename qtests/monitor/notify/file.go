package notify

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/go-qtests/qtests/qtests/internal/field"
	"github.com/go-qtests/qtests/qtests/monitor"
)

// The defaults of a FileConfig.
const (
	DefaultFileBytes = 10 << 20
	DefaultFileKeep  = 3
)

// A FileConfig says where notifications are written.
type FileConfig struct {
	Path string
	// MaxBytes is the size at which the file is rotated: Path becomes Path.1, that
	// Path.2, and so on. A line is never cut. Zero is DefaultFileBytes.
	MaxBytes int64
	// Keep is how many rotated files are kept. Zero is DefaultFileKeep.
	Keep int
}

// A File is a channel that appends one line of JSON for every notification: the
// instant, and the body of Alertmanager's webhook. A line that did not fit on the disk is
// taken back; where that fails as well, or where the file already ended without a line
// break, the next line begins a new one. A rotation that failed is an error of that
// notification, which the monitor sends again, and is tried again then. All methods are
// safe for concurrent use.
type File struct{ log locked[rotating] }

// rotating is a file that is rotated when it is full.
type rotating struct {
	cfg    FileConfig
	f      appender // nil until it is opened, also after a rotation that failed
	size   int64
	torn   bool // the file ends in the middle of a line
	closed bool
}

// An appender is what is used of an *os.File.
type appender interface {
	io.WriteCloser
	Truncate(size int64) error
}

// OpenFile opens the file for appending, and makes it if it is not there. Close it.
func OpenFile(cfg FileConfig) (*File, error) {
	check := field.Check("notify: FileConfig")
	check.That(cfg.Path != "", "Path", `""`, "is empty")
	check.That(cfg.MaxBytes >= 0, "MaxBytes", cfg.MaxBytes, "is negative")
	check.Count("Keep", cfg.Keep)
	if err := check.Result(); err != nil {
		return nil, err
	}
	cfg.MaxBytes = cmp.Or(cfg.MaxBytes, DefaultFileBytes)
	cfg.Keep = cmp.Or(cfg.Keep, DefaultFileKeep)
	x := &File{}
	x.log.v.cfg = cfg
	if err := x.log.do((*rotating).open); err != nil {
		return nil, fmt.Errorf("notify: %w", err)
	}
	return x, nil
}

// An entry is a line of the file.
type entry struct {
	At           time.Time            `json:"at"`
	Notification monitor.Notification `json:"notification"`
}

// Notify implements monitor.Channel.
func (x *File) Notify(_ context.Context, n monitor.Notification) error {
	line, err := json.Marshal(entry{n.At, n})
	if err != nil {
		return fmt.Errorf("%w: %w", monitor.ErrPermanent, err)
	}
	return x.log.do(func(r *rotating) error { return r.write(append(line, '\n')) })
}

// Close closes the file. Later notifications are errors.
func (x *File) Close() error { return x.log.do((*rotating).close) }

func (r *rotating) open() error {
	size, torn, err := endOf(r.cfg.Path)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(r.cfg.Path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	r.f, r.size, r.torn = f, size, torn
	return nil
}

// endOf returns the size of a file, which need not be there, and whether its last line
// has no end.
func endOf(path string) (size int64, torn bool, err error) {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() || info.Size() == 0 {
		if os.IsNotExist(err) {
			err = nil
		}
		return 0, false, err
	}
	f, err := os.Open(path)
	if err != nil {
		return 0, false, err
	}
	defer func() { _ = f.Close() }()
	last := make([]byte, 1)
	_, err = f.ReadAt(last, info.Size()-1)
	return info.Size(), last[0] != '\n', err
}

func (r *rotating) write(line []byte) error {
	if r.closed {
		return fmt.Errorf("%w: %w", monitor.ErrPermanent, os.ErrClosed)
	}
	if r.f == nil {
		if err := r.open(); err != nil {
			return err
		}
	}
	if r.size > 0 && r.size+int64(len(line)) > r.cfg.MaxBytes {
		if err := r.rotate(); err != nil {
			return fmt.Errorf("rotation: %w", err)
		}
	}
	if r.torn {
		line = append([]byte{'\n'}, line...)
	}
	written, err := r.f.Write(line)
	if err != nil && written > 0 {
		r.takeBack(written)
		return err
	}
	r.size += int64(written)
	r.torn = r.torn && err != nil
	return err
}

// takeBack removes the beginning of a line that could not be written as a whole.
func (r *rotating) takeBack(written int) {
	if r.f.Truncate(r.size) != nil {
		r.size += int64(written)
		r.torn = true
	}
}

// rotate renames the files and opens a new one. After an error the next write opens the
// file again.
func (r *rotating) rotate() error {
	err := r.f.Close()
	r.f = nil
	if err != nil {
		return err
	}
	name := func(i int) string { return fmt.Sprintf("%s.%d", r.cfg.Path, i) }
	for i := r.cfg.Keep - 1; i > 0; i-- {
		if err := os.Rename(name(i), name(i+1)); err != nil && !os.IsNotExist(err) {
			return err
		}
	}
	if err := os.Rename(r.cfg.Path, name(1)); err != nil {
		return err
	}
	return r.open()
}

func (r *rotating) close() error {
	r.closed = true
	if r.f == nil {
		return nil
	}
	err := r.f.Close()
	r.f = nil
	return err
}
