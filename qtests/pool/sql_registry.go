package pool

import (
	"cmp"
	"database/sql/driver"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/DATA-DOG/go-sqlmock"
)

const (
	// maxKnownQueries is how many different query texts a fake remembers the
	// stubs of; a program that writes values into its queries makes more of them
	// without end, which are then matched anew each time.
	maxKnownQueries = 1024
	// maxUnmatchedLogged is how many different unmatched queries or requests are
	// written to the test's log.
	maxUnmatchedLogged = 10
	nearestShown       = 3
)

// sqlRegistry finds the stub of a query. Of several that match, the one
// registered last answers, so that a test can replace what a helper set up.
type sqlRegistry struct {
	matcher sqlmock.QueryMatcher

	mu struct {
		sync.Mutex
		stubs []*SQLStub // in the order of registration; only ever appended to
		known map[string][]*SQLStub
	}
}

func (r *sqlRegistry) add(s *SQLStub) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.mu.stubs = append(r.mu.stubs, s)
	clear(r.mu.known)
}

// matching returns the stubs whose query matches, the last registered first. The
// matcher is the user's code, so it runs without the lock.
func (r *sqlRegistry) matching(query string) []*SQLStub {
	r.mu.Lock()
	all := r.mu.stubs
	found, ok := r.mu.known[query]
	r.mu.Unlock()
	if ok {
		return found
	}
	for _, s := range slices.Backward(all) {
		if r.matcher.Match(s.query, query) == nil {
			found = append(found, s)
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.mu.known == nil {
		r.mu.known = map[string][]*SQLStub{}
	}
	if len(r.mu.stubs) == len(all) && len(r.mu.known) < maxKnownQueries {
		r.mu.known[query] = found
	}
	return found
}

// find returns the stub for a call, or nil.
func (r *sqlRegistry) find(query string, args []driver.NamedValue) *SQLStub {
	for _, s := range r.matching(query) {
		if s.answer.Load().mismatch(args) == "" {
			return s
		}
	}
	return nil
}

// An UnmatchedQuery is the error of a query that no stub answers. It unwraps to
// [ErrUnmatched].
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

// Unwrap returns ErrUnmatched.
func (e *UnmatchedQuery) Unwrap() error { return ErrUnmatched }

func (r *sqlRegistry) unmatched(fake, query string, args []driver.NamedValue) *UnmatchedQuery {
	e := &UnmatchedQuery{Fake: fake, Query: query, Args: slices.Clone(args)}
	matching := r.matching(query)
	for _, s := range matching[:min(len(matching), nearestShown)] {
		e.Nearest = append(e.Nearest, fmt.Sprintf("%s (%s)", s.query, s.answer.Load().mismatch(args)))
	}
	r.mu.Lock()
	others := slices.Clone(r.mu.stubs)
	r.mu.Unlock()
	others = slices.DeleteFunc(others, func(s *SQLStub) bool { return slices.Contains(matching, s) })
	texts := make([]string, len(others))
	for i, s := range others {
		texts[i] = s.query
	}
	e.Nearest = append(e.Nearest, nearest(query, texts, nearestShown-len(e.Nearest))...)
	return e
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
