package monitor

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/go-qtests/qtests/qtests/internal/field"
)

// Slog returns a channel that logs one record for every alert of a notification:
// at level Warn while it fires, at Info when it is resolved.
func Slog(l *slog.Logger) Channel {
	return ChannelFunc(func(ctx context.Context, n Notification) error {
		for _, a := range n.Alerts {
			level := slog.LevelInfo
			if a.State == Firing {
				level = slog.LevelWarn
			}
			l.LogAttrs(ctx, level, "alert "+string(a.State), slog.Time("at", n.At), slog.String("alert", a.Name),
				slog.Any("labels", map[string]string(a.Labels)), slog.Any("annotations", map[string]string(a.Annotations)),
				slog.Float64("value", a.Value), slog.Time("since", a.FiredAt))
		}
		return nil
	})
}

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
type File struct {
	cfg FileConfig

	mu   sync.Mutex
	f    *os.File
	size int64
}

// OpenFile opens the file for appending, and makes it if it is not there. Close it.
func OpenFile(cfg FileConfig) (*File, error) {
	check := field.Check("monitor: FileConfig")
	check.That(cfg.Path != "", "Path", `""`, "is empty")
	check.That(cfg.MaxBytes >= 0, "MaxBytes", cfg.MaxBytes, "is negative")
	check.Count("Keep", cfg.Keep)
	if err := check.Result(); err != nil {
		return nil, err
	}
	setDefault(&cfg.MaxBytes, DefaultFileBytes)
	setDefault(&cfg.Keep, DefaultFileKeep)
	x := &File{cfg: cfg}
	if err := x.open(); err != nil {
		return nil, fmt.Errorf("monitor: %w", err)
	}
	return x, nil
}

func (x *File) open() error {
	f, err := os.OpenFile(x.cfg.Path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	info, err := f.Stat()
	if err != nil {
		_ = f.Close()
		return err
	}
	x.f, x.size = f, info.Size()
	return nil
}

// Notify implements Channel.
func (x *File) Notify(_ context.Context, n Notification) error {
	line, err := json.Marshal(struct {
		At           time.Time    `json:"at"`
		Notification Notification `json:"notification"`
	}{n.At, n})
	if err != nil {
		return fmt.Errorf("%w: %w", ErrPermanent, err)
	}
	line = append(line, '\n')
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.f == nil {
		return fmt.Errorf("%w: %w", ErrPermanent, os.ErrClosed)
	}
	if x.size > 0 && x.size+int64(len(line)) > x.cfg.MaxBytes {
		if err := x.rotate(); err != nil {
			return err
		}
	}
	written, err := x.f.Write(line)
	x.size += int64(written)
	return err
}

func (x *File) rotate() error {
	if err := x.f.Close(); err != nil {
		return err
	}
	x.f = nil
	name := func(i int) string { return fmt.Sprintf("%s.%d", x.cfg.Path, i) }
	for i := x.cfg.Keep - 1; i > 0; i-- {
		if err := os.Rename(name(i), name(i+1)); err != nil && !os.IsNotExist(err) {
			return err
		}
	}
	if err := os.Rename(x.cfg.Path, name(1)); err != nil {
		return err
	}
	return x.open()
}

// Close closes the file. Later notifications are errors.
func (x *File) Close() error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.f == nil {
		return nil
	}
	err := x.f.Close()
	x.f = nil
	return err
}
