package monitor

import (
	"time"

	"github.com/go-qtests/qtests/qtests/monitor/internal/alert"
	"github.com/go-qtests/qtests/qtests/monitor/internal/history"
)

// state is what changes in a Monitor, and all that its lock guards. A writer of the
// history holds the scraping token as well.
type state struct {
	history    *history.Store
	timeline   timeline
	muting     muting
	dispatcher *alert.Tree
	status     Status
	told       []told
	toldKeys   map[string]bool // what is in told
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
