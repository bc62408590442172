package shed

import (
	"fmt"
	"strings"

	"github.com/go-qtests/qtests/qtests/internal/text"
	"github.com/go-qtests/qtests/qtests/tb"
)

// RequireGoodput fails t unless at least this share, from 0 to 1, of the requests that have ended were served: see [Counts.Goodput]. It fails
// if none has ended.
func (g *Gate) RequireGoodput(t tb.TB, share float64) {
	t.Helper()
	switch x := g.Stats(); {
	case !(share >= 0 && share <= 1):
		tb.Fatalf(t, "shed: gate %s: RequireGoodput(%v): want a share from 0 to 1", g.cfg.Name, share)
	case x.ended() == 0:
		tb.Fatalf(t, "shed: gate %s: no request has ended, and so there is no goodput", g.cfg.Name)
	case x.Goodput() < share:
		tb.Fatalf(t, "shed: gate %s: the goodput is %.4g of %d requests, want at least %.4g\n%v", g.cfg.Name, x.Goodput(), x.ended(), share, x)
	}
}

// RequireFairness fails t unless Jain's index of the named classes, without names of all classes, is at least least, from 0 to 1: see
// [Stats.Fairness]. A name that no class has, and classes that offered nothing at all, fail t as well.
func (g *Gate) RequireFairness(t tb.TB, least float64, classes ...string) {
	t.Helper()
	x := g.Stats()
	if len(classes) == 0 {
		classes = text.SortedKeys(x.Classes)
	}
	offered := uint64(0)
	for _, name := range classes {
		c, known := x.Classes[name]
		if !known {
			tb.Fatalf(t, "shed: gate %s: %v", g.cfg.Name, text.Unknown("class", name, text.SortedKeys(x.Classes)))
		}
		offered += c.Offered
	}
	switch fair := x.Fairness(classes...); {
	case !(least >= 0 && least <= 1):
		tb.Fatalf(t, "shed: gate %s: RequireFairness(%v): want an index from 0 to 1", g.cfg.Name, least)
	case offered == 0:
		tb.Fatalf(t, "shed: gate %s: the classes %q offered no request, and so there is no fairness", g.cfg.Name, classes)
	case fair < least:
		tb.Fatalf(t, "shed: gate %s: the fairness between %q is %.4g, want at least %.4g\n%v", g.cfg.Name, classes, fair, least, x)
	}
}

// String is a table of the classes.
func (x Stats) String() string {
	rows := [][]string{{"class", "offered", "admitted", "served", "refused", "given up", "goodput"}}
	add := func(name string, c Counts) {
		n := func(v uint64) string { return text.Grouped(int64(v)) }
		rows = append(rows, []string{text.OneLine(name), n(c.Offered), n(c.Admitted), n(c.Served), n(c.Refused), n(c.GivenUp), fmt.Sprintf("%.4g%%", 100*c.Goodput())})
	}
	for _, name := range text.SortedKeys(x.Classes) {
		add(name, x.Classes[name])
	}
	add("all", x.Counts)
	var b strings.Builder
	fmt.Fprintf(&b, "limit %d, %d in flight\n", x.Limit, x.InFlight)
	text.Table(&b, rows)
	return b.String()
}
