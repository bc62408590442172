package degrade

import (
	"fmt"
	"time"

	"github.com/go-qtests/qtests/qtests/internal/text"
	"github.com/go-qtests/qtests/qtests/section"
)

var _ section.Source = (*Meter)(nil)

// Section implements section.Source: how good the answers were since the meter was made, and what was degraded.
func (m *Meter) Section(_, _ time.Time) section.Section {
	c := m.Counts()
	return section.Section{
		Title:  "answers of " + m.cfg.Name,
		Lines:  []string{fmt.Sprintf("%s, %d in flight", text.Plural(c.Offered, "request"), c.InFlight)},
		Tables: []section.Table{{Title: "how good", Head: c.rows()[0], Rows: c.rows()[1:]}},
	}
}
