package notify

import (
	"context"
	"log/slog"
	"time"

	"github.com/go-qtests/qtests/qtests/monitor"
	"github.com/go-qtests/qtests/qtests/tb"
)

// Slog returns a channel that logs one record for every alert of a notification:
// at level Warn while it fires, at Info when it is resolved.
func Slog(l *slog.Logger) monitor.Channel {
	return monitor.ChannelFunc(func(ctx context.Context, n monitor.Notification) error {
		for _, a := range n.Alerts {
			level := slog.LevelInfo
			if a.State == monitor.Firing {
				level = slog.LevelWarn
			}
			l.LogAttrs(ctx, level, "alert "+string(a.State), slog.Time("at", n.At), slog.String("alert", a.Name),
				slog.Any("labels", map[string]string(a.Labels)), slog.Any("annotations", map[string]string(a.Annotations)),
				slog.Float64("value", a.Value), slog.Time("since", a.FiredAt))
		}
		return nil
	})
}

// LogTo is a channel that writes one line per notification to the log of t, with
// the instant.
func LogTo(t tb.TB) monitor.Channel {
	return monitor.ChannelFunc(func(_ context.Context, n monitor.Notification) error {
		t.Logf("monitor: %s %s", n.At.Format(time.RFC3339), n)
		return nil
	})
}
