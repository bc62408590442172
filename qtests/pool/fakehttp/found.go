package fakehttp

import (
	"net/http"
	"strings"

	"github.com/go-qtests/qtests/qtests/pool"
)

// maxPaths is how many paths a fake counts one by one; the calls of all others are
// counted together.
const maxPaths = 1000

// A question is what a request is found by, where no matcher looks at the rest of it.
type question struct{ method, scheme, host, path, rawPath, query string }

// questionOf returns the question of a request; ok is false where there is more to its URL.
func questionOf(req *http.Request) (q question, ok bool) {
	u := req.URL
	return question{methodOf(req), u.Scheme, u.Host, u.Path, u.RawPath, u.RawQuery}, u.User == nil && u.Opaque == ""
}

// A finding is the route that httpmock has found for a question: the same one, until routes are registered again.
// To find it costs more than to answer.
type finding struct {
	stub        *Stub
	op          string
	calls       *uint64 // of op
	connections *pool.Pool[*conn]
}

// count counts a call of op, and returns the count.
func (s *state) count(op string) *uint64 {
	key := op
	if s.calls[key] == nil && len(s.calls) >= maxPaths {
		key = "other"
	}
	n := s.calls[key]
	if n == nil {
		n = new(uint64)
		s.calls[key] = n
	}
	*n++
	return n
}

// keep keeps what was found, unless a route has been registered since, or one has a matcher, which might choose
// otherwise the next time. A pattern may have submatches, which are of one request.
func (s *state) keep(q question, f finding, registered uint64) {
	if s.registered == registered && !s.matchers && !strings.HasPrefix(f.stub.url, "=~") && len(s.found) < maxPaths {
		s.found[q] = f
	}
}

// forget is called when a route has been registered.
func (s *state) forget(matchers bool) {
	s.registered++
	s.matchers = s.matchers || matchers
	clear(s.found)
}
