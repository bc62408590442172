package fakesql

import (
	"cmp"
	"database/sql/driver"
	"fmt"
	"slices"
	"strings"

	"github.com/go-qtests/qtests/qtests/pool/fake"
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
		db.scope.T.Logf("%v", err)
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
	return append(found, nearest(query, texts, nearestShown-len(found))...)
}

// nearest returns up to n of the texts, the most similar to text first.
func nearest(text string, texts []string, n int) []string {
	type scored struct {
		text     string
		distance int
	}
	want := strings.Fields(text)
	var all []scored
	for _, t := range texts {
		all = append(all, scored{t, wordDistance(want, strings.Fields(t))})
	}
	slices.SortStableFunc(all, func(a, b scored) int { return cmp.Compare(a.distance, b.distance) })
	var out []string
	for _, s := range all[:max(0, min(n, len(all)))] {
		out = append(out, s.text)
	}
	return out
}

// maxWords bounds the work that one unmatched query causes.
const maxWords = 200

// wordDistance is the Levenshtein distance in words, a replaced word weighing as
// much as the two differ beyond their common beginning, at most 8.
func wordDistance(a, b []string) int {
	a, b = a[:min(len(a), maxWords)], b[:min(len(b), maxWords)]
	const whole = 8
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j * whole
	}
	for i, x := range a {
		diagonal := row[0]
		row[0] = (i + 1) * whole
		for j, y := range b {
			replaced := diagonal + unlike(x, y, whole)
			diagonal = row[j+1]
			row[j+1] = min(replaced, row[j]+whole, diagonal+whole)
		}
	}
	return row[len(b)]
}

func unlike(x, y string, most int) int {
	if strings.EqualFold(x, y) {
		if x == y {
			return 0
		}
		return 1
	}
	common := 0
	for common < len(x) && common < len(y) && x[common] == y[common] {
		common++
	}
	return min(most, 1+max(len(x), len(y))-common)
}
