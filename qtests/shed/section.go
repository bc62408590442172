package shed

import (
	"fmt"
	"time"

	"github.com/go-qtests/qtests/qtests/internal/text"
	"github.com/go-qtests/qtests/qtests/section"
)

var _ section.Source = (*Gate)(nil)

// Section implements section.Source: what became of the requests of each class, and why they were refused, since the gate was made.
func (g *Gate) Section(_, _ time.Time) section.Section {
	x := g.Stats()
	count := func(n uint64) string { return text.Grouped(int64(n)) }
	classes := section.Table{Title: "classes", Head: []string{"class", "offered", "admitted", "refused", "given up", "goodput"}}
	why := section.Table{Title: "refused", Head: []string{"class", "why", "requests"}}
	for _, name := range text.SortedKeys(x.Classes) {
		c := x.Classes[name]
		classes.Rows = append(classes.Rows, []string{name, count(c.Offered), count(c.Admitted), count(c.Refused), count(c.GivenUp), fmt.Sprintf("%.4g%%", 100*c.Goodput())})
		reasons := map[string]uint64{}
		for r, n := range c.Why {
			reasons[string(r)] = n
		}
		for _, r := range text.SortedKeys(reasons) {
			why.Rows = append(why.Rows, []string{name, r, count(reasons[r])})
		}
	}
	return section.Section{
		Title:  "gate " + g.cfg.Name,
		Lines:  []string{fmt.Sprintf("limit %d, %s of %s served", x.Limit, count(x.Served), text.Plural(x.Offered, "request"))},
		Tables: []section.Table{classes, why},
	}
}
