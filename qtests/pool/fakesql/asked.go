package fakesql

import (
	"cmp"
	"database/sql/driver"
	"fmt"
	"hash/fnv"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/go-qtests/qtests/qtests/internal/text"
)

// What [Asked] keeps at most.
const (
	maxStatements = 1000 // texts
	maxRepeats    = 1000 // pairs of a request and a text
	maxHeld       = 100
)

// Asked is what a fake was asked since [Fake.WatchQueries].
type Asked struct {
	// Statements are those asked most first, at most 1,000 texts.
	Statements []Statement
	// Requests is how many have ended, and Most how many statements the one asked that asked most, MostOf.
	Requests uint64
	Most     int
	MostOf   string
	// Waits is how often a connection had to be waited for, and Waited for how long in all.
	Waits  uint64
	Waited time.Duration
	// Dropped is how many statements were not kept, because there were too many texts.
	Dropped uint64

	repeats []Repeat
	held    []Held
}

// A Statement is one text.
type Statement struct {
	Query         string
	Count         uint64
	Time, Longest time.Duration // from the call until the answer, with the wait for a connection
	// Unlimited says that it is a SELECT with neither WHERE nor LIMIT, FETCH or TOP: it returns more as the table grows.
	Unlimited bool
}

// A Repeat is a statement that one request asked again and again, each time with other arguments than the time before: N+1 queries.
type Repeat struct {
	Request string
	Query   string
	Times   int    // in the request that did most
	Line    string // file and line that asked
}

func (r Repeat) String() string {
	return fmt.Sprintf("%q %d times with other arguments, at %s", text.OneLine(r.Query), r.Times, r.Line)
}

// Held is a transaction that held its connection while it asked nothing.
type Held struct {
	Request     string
	Idle, Total time.Duration
	Line        string // of the end of the transaction
}

// Repeats returns the statements that one request asked more than n times with other arguments, those asked most first.
func (a Asked) Repeats(n int) []Repeat {
	return slices.DeleteFunc(slices.Clone(a.repeats), func(r Repeat) bool { return r.Times <= n })
}

// Held returns the transactions that held their connection idle for longer than d, the longest first, at most 100 of them. A call
// to another service within a transaction is such a time.
func (a Asked) Held(d time.Duration) []Held {
	return slices.DeleteFunc(slices.Clone(a.held), func(h Held) bool { return h.Idle <= d })
}

// Unlimited returns the statements that have no limit.
func (a Asked) Unlimited() []Statement {
	return slices.DeleteFunc(slices.Clone(a.Statements), func(s Statement) bool { return !s.Unlimited })
}

// String is a table of the statements by count and time, the first 20 of them.
func (a Asked) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s; at most %s in one: %s\n", text.Plural(a.Requests, "request"), text.Plural(a.Most, "statement"), text.OneLine(a.MostOf))
	fmt.Fprintf(&b, "waited for a connection %s, %s in all\n", text.Times(int64(a.Waits)), text.Short(a.Waited))
	rows := [][]string{{"statement", "count", "time", "longest"}}
	for _, s := range a.Statements[:min(20, len(a.Statements))] {
		rows = append(rows, []string{text.Clip(text.OneLine(s.Query), 80), text.Grouped(int64(s.Count)), text.Short(s.Time), text.Short(s.Longest)})
	}
	text.Table(&b, rows)
	return b.String()
}

// asked is what is kept, without a lock.
type asked struct {
	statements map[string]*Statement
	repeats    map[[2]string]*Repeat
	sum        Asked
}

func newAsked() *asked {
	return &asked{statements: map[string]*Statement{}, repeats: map[[2]string]*Repeat{}}
}

// unlimited and limited tell statements by their words.
var (
	unlimited = regexp.MustCompile(`(?is)^\s*select\b.*\bfrom\b`)
	limited   = regexp.MustCompile(`(?i)\b(where|limit|fetch|top)\b`)
)

// statement counts one.
func (a *asked) statement(query string, took time.Duration) {
	s := a.statements[query]
	if s == nil {
		if len(a.statements) == maxStatements {
			a.sum.Dropped++
			return
		}
		s = &Statement{Query: query, Unlimited: unlimited.MatchString(query) && !limited.MatchString(query)}
		a.statements[query] = s
	}
	s.Count++
	s.Time += took
	s.Longest = max(s.Longest, took)
}

// A request is one that asks: the statements of its context.
type request struct {
	name  string
	n     int
	texts map[string]*repetition
}

// A repetition is one text in one request.
type repetition struct {
	times int // with other arguments than the time before, and the first time
	args  uint64
	line  string
}

// note counts a statement of a request. line is called when it is repeated for the first time.
func (r *request) note(query string, args []driver.NamedValue, line func() string) {
	r.n++
	x := r.texts[query]
	if x == nil {
		if len(r.texts) >= maxStatements {
			return
		}
		x = &repetition{}
		r.texts[query] = x
	}
	h := hashOf(args)
	if x.times > 0 && h == x.args {
		return
	}
	x.times++
	x.args = h
	if x.times == 2 {
		x.line = line()
	}
}

func hashOf(args []driver.NamedValue) uint64 {
	h := fnv.New64a()
	for _, a := range args {
		fmt.Fprintf(h, "%T %v;", a.Value, a.Value)
	}
	return h.Sum64()
}

// end takes the counts of a request that has ended.
func (a *asked) end(r *request) {
	a.sum.Requests++
	if r.n > a.sum.Most {
		a.sum.Most, a.sum.MostOf = r.n, r.name
	}
	for query, x := range r.texts {
		key := [2]string{r.name, query}
		known := a.repeats[key]
		if x.times < 2 || known == nil && len(a.repeats) == maxRepeats {
			continue
		}
		if known == nil || x.times > known.Times {
			a.repeats[key] = &Repeat{Request: r.name, Query: query, Times: x.times, Line: x.line}
		}
	}
}

// hold counts a transaction that was idle.
func (a *asked) hold(h Held) {
	a.sum.held = append(a.sum.held, h)
	slices.SortStableFunc(a.sum.held, func(x, y Held) int { return cmp.Compare(y.Idle, x.Idle) })
	if len(a.sum.held) > maxHeld {
		a.sum.held = a.sum.held[:maxHeld]
	}
}

// result is a copy of all.
func (a *asked) result() Asked {
	out := a.sum
	out.held = slices.Clone(out.held)
	for _, query := range text.SortedKeys(a.statements) {
		out.Statements = append(out.Statements, *a.statements[query])
	}
	slices.SortStableFunc(out.Statements, func(x, y Statement) int {
		return cmp.Or(cmp.Compare(y.Count, x.Count), cmp.Compare(y.Time, x.Time))
	})
	for _, r := range a.repeats {
		out.repeats = append(out.repeats, *r)
	}
	slices.SortFunc(out.repeats, func(x, y Repeat) int {
		return cmp.Or(cmp.Compare(y.Times, x.Times), cmp.Compare(x.Request, y.Request), cmp.Compare(x.Query, y.Query))
	})
	return out
}
