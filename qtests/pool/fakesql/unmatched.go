package fakesql

import (
	"database/sql/driver"
	"fmt"
	"slices"
	"strings"

	"github.com/go-qtests/qtests/qtests/internal/userline"
	"github.com/go-qtests/qtests/qtests/pool/fake"
	"github.com/go-qtests/qtests/qtests/pool/internal/nearest"
)

const (
	// maxUnmatchedLogged is how many different unmatched queries are written to the
	// test's log.
	maxUnmatchedLogged = 10
	nearestShown       = 3
)

// An UnmatchedQuery is the error of a query that no stub answers. It unwraps to
// [fake.ErrUnmatched].
type UnmatchedQuery struct {
	Fake  string
	Query string
	Args  []driver.NamedValue
	// Nearest are the most similar stubs, the nearest first, each with the reason
	// why it does not answer.
	Nearest []string
}

func (e *UnmatchedQuery) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: no stub answers the query\n\t%s", e.Fake, e.Query)
	if len(e.Args) > 0 {
		b.WriteString("\nwith the arguments")
		for _, a := range e.Args {
			if a.Name != "" {
				fmt.Fprintf(&b, "\n\t%s = %T %v", a.Name, a.Value, a.Value)
			} else {
				fmt.Fprintf(&b, "\n\t%d = %T %v", a.Ordinal, a.Value, a.Value)
			}
		}
	}
	if len(e.Nearest) == 0 {
		b.WriteString("\nno stub is registered: call On")
		return b.String()
	}
	b.WriteString("\nnearest stubs:")
	for _, n := range e.Nearest {
		b.WriteString("\n\t" + n)
	}
	return b.String()
}

// Unwrap returns fake.ErrUnmatched.
func (e *UnmatchedQuery) Unwrap() error { return fake.ErrUnmatched }

// unmatched counts a query that no stub answers, and returns its error.
func (db *Fake) unmatched(query string, args []driver.NamedValue) error {
	matching := db.matching(query)
	var others []*Stub
	log := false
	db.locked(func(s *state) {
		others = slices.Clone(s.stubs.stubs)
		s.unmatched++
		if log = len(s.logged) < maxUnmatchedLogged && !slices.Contains(s.logged, query); log {
			s.logged = append(s.logged, query)
		}
	})
	others = slices.DeleteFunc(others, func(s *Stub) bool { return slices.Contains(matching, s) })
	err := &UnmatchedQuery{
		Fake: db.common.Name, Query: query, Args: slices.Clone(args), Nearest: nearestStubs(query, args, matching, others),
	}
	if log && !db.closed.Load() {
		userline.Logf(db.scope.T, "%v", err)
	}
	return err
}

// nearestStubs describes the stubs that are most similar to a query: those that match
// it, with what is wrong with the arguments, before others.
func nearestStubs(query string, args []driver.NamedValue, matching, others []*Stub) (found []string) {
	for _, s := range matching[:min(len(matching), nearestShown)] {
		found = append(found, fmt.Sprintf("%s (%s)", s.query, s.answer.Load().mismatch(args)))
	}
	texts := make([]string, len(others))
	for i, s := range others {
		texts[i] = s.query
	}
	want := strings.Fields(query)
	closest := nearest.Of(texts, nearestShown-len(found), func(text string) int {
		return nearest.Distance(want, strings.Fields(text))
	})
	return append(found, closest...)
}
