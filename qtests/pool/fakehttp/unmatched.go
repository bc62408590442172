package fakehttp

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/go-qtests/qtests/qtests/internal/text"
	"github.com/go-qtests/qtests/qtests/internal/userline"
	"github.com/go-qtests/qtests/qtests/pool/fake"
	"github.com/go-qtests/qtests/qtests/pool/internal/nearest"
)

// nearestShown is how many routes an UnmatchedRequest names.
const nearestShown = 3

// An UnmatchedRequest is the error of a request that no route answers. It
// unwraps to [fake.ErrUnmatched] and to httpmock's own error.
type UnmatchedRequest struct {
	Fake   string
	Method string
	URL    string
	// Nearest are the most similar routes, the nearest first, each as "METHOD URL" with
	// the reasons why it does not answer.
	Nearest []string
	// Routes is how many routes are registered.
	Routes int
	Err    error
}

func (e *UnmatchedRequest) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: no responder for %s %s: %v", e.Fake, e.Method, e.URL, e.Err)
	if e.Routes == 0 {
		b.WriteString("\nno responder is registered: call On")
		return b.String()
	}
	b.WriteString("\nnearest routes:")
	for _, n := range e.Nearest {
		b.WriteString("\n\t" + n)
	}
	if more := e.Routes - len(e.Nearest); more > 0 {
		fmt.Fprintf(&b, "\n\tand %d more", more)
	}
	return b.String()
}

// Unwrap returns fake.ErrUnmatched and httpmock's error.
func (e *UnmatchedRequest) Unwrap() []error { return []error{fake.ErrUnmatched, e.Err} }

// unmatched counts a request that no route answers, and returns its error.
func (h *Fake) unmatched(req *http.Request, cause error) error {
	var routes []*Stub
	h.locked(func(s *state) { routes = slices.Clone(s.routes) })
	err := &UnmatchedRequest{
		Fake: h.common.Name, Method: methodOf(req), URL: req.URL.String(),
		Nearest: nearestRoutes(req, routes), Routes: len(routes), Err: cause,
	}
	why := ""
	if len(err.Nearest) > 0 {
		why = "the nearest route is " + err.Nearest[0]
	}
	line := userline.Of(userline.Stack())
	log := false
	h.locked(func(s *state) {
		log = s.unexpected.Add(operation(req), why, line) && !s.closed
	})
	if log {
		userline.Logf(h.scope.T, "%v", err)
	}
	return err
}

// nearestRoutes describes the routes that are most similar to a request.
func nearestRoutes(req *http.Request, routes []*Stub) (out []string) {
	var all []comparison
	for _, s := range routes {
		all = append(all, s.compare(req))
	}
	for _, c := range nearest.Of(all, nearestShown, func(c comparison) int { return c.distance }) {
		out = append(out, fmt.Sprintf("%s (%s)", c.route, strings.Join(c.reasons, "; ")))
	}
	return out
}

// A comparison says how a route differs from a request.
type comparison struct {
	route    string
	reasons  []string
	distance int
}

func (c *comparison) differ(weight int, format string, args ...any) {
	c.distance += weight
	c.reasons = append(c.reasons, fmt.Sprintf(format, args...))
}

// What the differences weigh: a different path, by its distance, weighs up to some
// multiple of these.
const (
	matcherWeight = 1
	methodWeight  = 4
	queryWeight   = 4
	hostWeight    = 8
)

// compare finds the differences of the route to a request that it does not answer.
func (s *Stub) compare(req *http.Request) comparison {
	c := comparison{route: s.method + " " + s.url}
	if s.method != methodOf(req) {
		c.differ(methodWeight, "its method is %s, not %s", s.method, methodOf(req))
	}
	if pattern, ok := strings.CutPrefix(s.url, "=~"); ok {
		c.comparePattern(pattern, req.URL)
	} else {
		c.compareURL(s.url, req.URL)
	}
	if len(c.reasons) == 0 {
		c.differ(matcherWeight, "its matcher does not accept the request")
	}
	return c
}

func (c *comparison) comparePattern(pattern string, u *url.URL) {
	rx, err := regexp.Compile(pattern)
	n := normal(u)
	if err != nil || rx.MatchString(u.String()) || rx.MatchString(n.String()) || rx.MatchString(u.Path) || rx.MatchString(u.RequestURI()) {
		return
	}
	c.differ(hostWeight+nearest.Distance(segments(u.Path), segments(pattern)), "its pattern does not match")
}

func (c *comparison) compareURL(route string, u *url.URL) {
	want, err := url.Parse(route)
	if err != nil {
		c.differ(hostWeight, "its URL cannot be read")
		return
	}
	n := normal(u)
	if want.Host != "" && hostOf(want) != n.Host {
		c.differ(hostWeight, "its host is %s, not %s", want.Host, n.Host)
	} else if want.Scheme != "" && want.Scheme != n.Scheme {
		c.differ(hostWeight, "its scheme is %s, not %s", want.Scheme, n.Scheme)
	}
	if d := nearest.Distance(segments(n.Path), segments(want.Path)); d > 0 {
		c.differ(d, "its path is %s, not %s", want.Path, n.Path)
	}
	c.compareQuery(want.Query(), u.Query(), want.RawQuery != "")
}

// compareQuery finds the differences of two queries. A route without a query takes any.
func (c *comparison) compareQuery(want, got url.Values, asks bool) {
	if !asks {
		return
	}
	keys := map[string]bool{}
	for k := range want {
		keys[k] = true
	}
	for k := range got {
		keys[k] = true
	}
	for _, k := range text.SortedKeys(keys) {
		w, g := url.Values{k: want[k]}.Encode(), url.Values{k: got[k]}.Encode()
		switch {
		case sortedQuery(w) == sortedQuery(g):
		case g == "":
			c.differ(queryWeight, "its query has %s, which the request lacks", w)
		case w == "":
			c.differ(queryWeight, "its query lacks %s", g)
		default:
			c.differ(queryWeight, "its query has %s, not %s", w, g)
		}
	}
}

func segments(path string) []string { return strings.Split(path, "/") }
