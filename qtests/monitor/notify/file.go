package notify

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
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
// instant, and the body of Alertmanager's webhook. All methods are safe for
// concurrent use.
type File struct{ log locked[rotating] }

// rotating is a file that is rotated when it is full.
type rotating struct {
	cfg  FileConfig
	f    *os.File // nil when closed
	size int64
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

// Notify implements monitor.Channel.
func (x *File) Notify(_ context.Context, n monitor.Notification) error {
	line, err := json.Marshal(struct {
		At           time.Time            `json:"at"`
		Notification monitor.Notification `json:"notification"`
	}{n.At, n})
	if err != nil {
		return fmt.Errorf("%w: %w", monitor.ErrPermanent, err)
	}
	line = append(line, '\n')
	return x.log.do(func(r *rotating) error { return r.write(line) })
}

// Close closes the file. Later notifications are errors.
func (x *File) Close() error { return x.log.do((*rotating).close) }

func (r *rotating) open() error {
	f, err := os.OpenFile(r.cfg.Path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	info, err := f.Stat()
	if err != nil {
		_ = f.Close()
		return err
	}
	r.f, r.size = f, info.Size()
	return nil
}

func (r *rotating) write(line []byte) error {
	if r.f == nil {
		return fmt.Errorf("%w: %w", monitor.ErrPermanent, os.ErrClosed)
	}
	if r.size > 0 && r.size+int64(len(line)) > r.cfg.MaxBytes {
		if err := r.rotate(); err != nil {
			return err
		}
	}
	written, err := r.f.Write(line)
	r.size += int64(written)
	return err
}

func (r *rotating) rotate() error {
	if err := r.f.Close(); err != nil {
		return err
	}
	r.f = nil
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
	if r.f == nil {
		return nil
	}
	err := r.f.Close()
	r.f = nil
	return err
}
