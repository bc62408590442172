package fakesql

import (
	"cmp"
	"database/sql/driver"
	"fmt"
	"slices"
	"strings"

	"github.com/go-qtests/qtests/qtests/internal/text"
	"github.com/go-qtests/qtests/qtests/internal/userline"
	"github.com/go-qtests/qtests/qtests/pool/fake"
	"github.com/go-qtests/qtests/qtests/pool/internal/nearest"
)

// nearestShown is how many stubs an UnmatchedQuery names.
const nearestShown = 3

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
				fmt.Fprintf(&b, "\n\t%s = %s", a.Name, shown(a.Value))
			} else {
				fmt.Fprintf(&b, "\n\t%d = %s", a.Ordinal, shown(a.Value))
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
	db.locked(func(s *state) { others = slices.Clone(s.stubs.stubs) })
	others = slices.DeleteFunc(others, func(s *Stub) bool { return slices.Contains(matching, s) })
	err := &UnmatchedQuery{
		Fake: db.common.Name, Query: query, Args: slices.Clone(args), Nearest: nearestStubs(query, args, matching, others),
	}
	why := ""
	if len(err.Nearest) > 0 {
		why = "the nearest stub is " + err.Nearest[0]
	}
	if db.unexpected(query, why) {
		userline.Logf(db.scope.T, "%v", err)
	}
	return err
}

// unanswered counts a call to which a stub, or a go-sqlmock, has no answer.
func (db *Fake) unanswered(what string, err error) error {
	db.unexpected(what, err.Error())
	return err
}

// unexpected counts a call that fails the test when it ends. It reports whether the call
// is the first of its kind, and there still is a test to tell of it.
func (db *Fake) unexpected(what, why string) (first bool) {
	line := userline.Of(userline.Stack())
	db.locked(func(s *state) { first = s.unexpected.Add(text.OneLine(what), text.OneLine(why), line) })
	return first && !db.closed.Load()
}

// nearestStubs describes the stubs that are most similar to a query: those that match
// it, with what is wrong with the arguments, before others.
func nearestStubs(query string, args []driver.NamedValue, matching, others []*Stub) (found []string) {
	for _, s := range matching[:min(len(matching), nearestShown)] {
		found = append(found, fmt.Sprintf("%s (%s)", s.query, cmp.Or(s.answer.Load().mismatch(args), s.spent())))
	}
	texts := make([]string, len(others))
	for i, s := range others {
		texts[i] = s.query
	}
	texts = slices.Compact(texts) // one for the stubs of a sequence
	want := strings.Fields(query)
	closest := nearest.Of(texts, nearestShown-len(found), func(text string) int {
		return nearest.Distance(want, strings.Fields(text))
	})
	return append(found, closest...)
}
