package monitor

import (
	"context"
	"sync"
	"time"

	"github.com/benbjohnson/clock"

	"github.com/go-qtests/qtests/qtests/event"
	"github.com/go-qtests/qtests/qtests/internal/tenancy"
	"github.com/go-qtests/qtests/qtests/monitor/internal/alert"
	"github.com/go-qtests/qtests/qtests/monitor/internal/history"
)

// A Monitor scrapes, remembers and alerts. Make one with New or NewT. All
// methods are safe for concurrent use.
type Monitor struct {
	cfg     Config
	clk     clock.Clock
	start   time.Time
	sources []*source
	rules   []*rule
	// receivers are the channels.
	receivers []*receiver

	tenancy tenancy.Tenancy

	// scraping is the token of the one scrape under way. It is a channel, because a
	// gatherer may sleep: a goroutine that waits for a mutex stops the time of a bubble.
	// Only its holder writes the history.
	scraping chan struct{}
	ctx      context.Context // ends with Close
	cancel   context.CancelFunc
	loops    sync.WaitGroup
	closed   sync.Once
	test     string // that made the monitor
	hideReal bool   // from the rules
	// templateQueries are expressions of templates, which the holder of the scraping token
	// keeps ready.
	templateQueries map[string]*expression
	alerts          []alert.Alert // of the last scrape, which the holder writes anew
	kick            chan struct{} // tells the loop that the dispatcher may be due earlier

	// mu is never held while waiting or while code of the user runs: see locked.
	mu struct {
		sync.Mutex
		state
	}
}

// state is what changes in a Monitor, and all that its lock guards. A writer of the
// history holds the scraping token as well.
type state struct {
	history    *history.Store
	timeline   timeline
	muting     muting
	dispatcher *alert.Tree
	status     Status
	told       told
	// gap is the smallest time between two scrapes; zero until there are two.
	gap time.Duration
}

// locked calls f with the state. Nothing else in this package locks. f does not wait, and
// it does not call code of the user.
func (m *Monitor) locked(f func(s *state)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f(&m.mu.state)
}

// Start returns the instant at which the monitor was made: scrapes happen at
// Start + k*Interval.
func (m *Monitor) Start() time.Time { return m.start }

// Interval returns the time between two scrapes.
func (m *Monitor) Interval() time.Duration { return m.cfg.Interval }

// EventLog returns the log that receives a mark for every change of an alert, or nil.
func (m *Monitor) EventLog() *event.Log { return m.cfg.EventLog }
