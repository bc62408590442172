package alertmanager

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/go-qtests/qtests/qtests/monitor"
)

// MaxMessages is how many messages an Outbox keeps.
const MaxMessages = 10_000

// An Outbox is a channel that keeps what the receivers of a file would have sent, the first
// MaxMessages. A template that fails is an error of the notification, which the monitor's
// Status counts and does not try again. All methods are safe for concurrent use.
type Outbox struct {
	file *File
	mu   struct {
		sync.Mutex
		messages []Message
	}
}

// Outbox returns one for the receivers of the file. One may serve several receivers.
func (f *File) Outbox() *Outbox { return &Outbox{file: f} }

// Notify implements monitor.Channel.
func (o *Outbox) Notify(_ context.Context, n monitor.Notification) error {
	sent, err := o.file.Messages(n)
	if err != nil {
		return fmt.Errorf("%w: %w", monitor.ErrPermanent, err)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.mu.messages = append(o.mu.messages, sent[:min(len(sent), MaxMessages-len(o.mu.messages))]...)
	return nil
}

// Messages returns what was sent, in order.
func (o *Outbox) Messages() []Message {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.mu.messages)
}
