package notify

import (
	"context"
	"slices"

	"github.com/go-qtests/qtests/qtests/monitor"
)

// MaxRecorded is how many notifications a Recorder keeps.
const MaxRecorded = 10_000

// A Recorder is a channel that remembers what it was told, the first MaxRecorded
// notifications. The zero value is ready. All methods are safe for concurrent use.
type Recorder struct {
	told locked[[]monitor.Notification]
}

// Notify implements monitor.Channel.
func (r *Recorder) Notify(_ context.Context, n monitor.Notification) error {
	return r.told.do(func(all *[]monitor.Notification) error {
		if len(*all) < MaxRecorded {
			*all = append(*all, n)
		}
		return nil
	})
}

// Notifications returns what the channel was told, in order.
func (r *Recorder) Notifications() (told []monitor.Notification) {
	_ = r.told.do(func(all *[]monitor.Notification) error {
		told = slices.Clone(*all)
		return nil
	})
	return told
}
