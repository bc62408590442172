package fakesql

import (
	"database/sql/driver"
	"slices"
)

// maxKnownQueries is how many different query texts a fake remembers the stubs of.
// A program that writes values into its queries makes more of them without end: these
// are matched anew each time.
const maxKnownQueries = 1024

// A registry has the stubs of a fake, and remembers which of them match a query: a
// plain structure, which the lock of the fake guards.
type registry struct {
	stubs []*Stub // in the order of registration; readers keep it: no element changes
	known map[string][]*Stub
}

func (r *registry) add(s *Stub) {
	r.stubs = append(r.stubs, s)
	clear(r.known)
}

// insertBehind adds a stub that is asked right after another one: before it in the list,
// because the last one is asked first.
func (r *registry) insertBehind(s, other *Stub) {
	i := slices.Index(r.stubs, other)
	r.stubs = slices.Insert(slices.Clone(r.stubs), i, s)
	clear(r.known)
}

// remember keeps the stubs that match a query, found among the first n of all.
func (r *registry) remember(query string, found []*Stub, n int) {
	if r.known == nil {
		r.known = map[string][]*Stub{}
	}
	if len(r.stubs) == n && len(r.known) < maxKnownQueries {
		r.known[query] = found
	}
}

// matching returns the stubs whose query matches, the last registered first: a test
// can replace what a helper set up. The matcher is the user's code, so it runs
// without the lock.
func (db *Fake) matching(query string) []*Stub {
	var all, found []*Stub
	known := false
	db.locked(func(s *state) {
		all = s.stubs.stubs
		found, known = s.stubs.known[query]
	})
	if known {
		return found
	}
	for _, s := range slices.Backward(all) {
		if s.matcher.Match(s.query, query) == nil {
			found = append(found, s)
		}
	}
	db.locked(func(s *state) { s.stubs.remember(query, found, len(all)) })
	return found
}

// find returns the stub for a call, or nil, and the number of the call: the first call
// of a stub is 1.
func (db *Fake) find(query string, args []driver.NamedValue) (*Stub, uint64) {
	for _, s := range db.matching(query) {
		if s.answer.Load().mismatch(args) != "" {
			continue
		}
		if n, ok := s.claim(); ok {
			s.capture(query, args)
			return s, n
		}
	}
	return nil, 0
}
