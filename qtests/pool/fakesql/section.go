package fakesql

import (
	"fmt"
	"time"

	"github.com/go-qtests/qtests/qtests/internal/text"
	"github.com/go-qtests/qtests/qtests/section"
)

var _ section.Source = (*Fake)(nil)

// Section implements section.Source: what the fake was asked since [Fake.WatchQueries], and nothing without it. Its tables are the
// statements by count and time, those that one request repeated (N+1), and transactions that held an idle connection.
func (db *Fake) Section(_, _ time.Time) section.Section {
	if !db.watching.Load() {
		return section.Section{}
	}
	a := db.Asked()
	return section.Section{
		Title: "asked of " + db.common.Name,
		Lines: []string{
			fmt.Sprintf("%s; at most %s in one: %s", text.Plural(a.Requests, "request"), text.Plural(a.Most, "statement"), text.OneLine(a.MostOf)),
			fmt.Sprintf("waited for a connection %s, %s in all", text.Times(int64(a.Waits)), text.Short(a.Waited)),
		},
		Tables: []section.Table{a.statementTable(), a.repeatTable(), a.heldTable()},
	}
}

func (a Asked) statementTable() section.Table {
	t := section.Table{Title: "statements", Head: []string{"statement", "count", "time", "longest", ""}}
	for _, s := range a.Statements {
		note := ""
		if s.Unlimited {
			note = "no limit"
		}
		t.Rows = append(t.Rows, []string{text.Clip(text.OneLine(s.Query), 200), text.Grouped(int64(s.Count)), text.Short(s.Time), text.Short(s.Longest), note})
	}
	return t
}

func (a Asked) repeatTable() section.Table {
	t := section.Table{Title: "repeated in one request with other arguments (N+1)", Head: []string{"request", "statement", "times", "line"}}
	for _, r := range a.Repeats(2) {
		t.Rows = append(t.Rows, []string{text.OneLine(r.Request), text.Clip(text.OneLine(r.Query), 200), text.Grouped(int64(r.Times)), r.Line})
	}
	return t
}

func (a Asked) heldTable() section.Table {
	t := section.Table{Title: "transactions that held an idle connection", Head: []string{"request", "idle", "of", "line"}}
	for _, h := range a.Held(0) {
		t.Rows = append(t.Rows, []string{text.OneLine(h.Request), text.Short(h.Idle), text.Short(h.Total), h.Line})
	}
	return t
}
