package fakehttp

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/go-qtests/qtests/qtests/pool/fake"
)

// maxUnmatchedLogged is how many different unmatched requests are written to the
// test's log.
const maxUnmatchedLogged = 10

// An UnmatchedRequest is the error of a request that no route answers. It
// unwraps to [fake.ErrUnmatched] and to httpmock's own error.
type UnmatchedRequest struct {
	Fake       string
	Method     string
	URL        string
	Registered []string // "METHOD URL", in httpmock's order
	Err        error
}

func (e *UnmatchedRequest) Error() string {
	text := fmt.Sprintf("%s: no responder for %s %s: %v", e.Fake, e.Method, e.URL, e.Err)
	if len(e.Registered) == 0 {
		return text + "\nno responder is registered: call On"
	}
	return text + "\nregistered:\n\t" + strings.Join(e.Registered, "\n\t")
}

// Unwrap returns fake.ErrUnmatched and httpmock's error.
func (e *UnmatchedRequest) Unwrap() []error { return []error{fake.ErrUnmatched, e.Err} }

func (h *Fake) unmatched(req *http.Request, cause error) error {
	err := &UnmatchedRequest{
		Fake: h.common.Name, Method: methodOf(req), URL: req.URL.String(),
		Registered: h.mock.Responders(), Err: cause,
	}
	key := operation(req)
	log := false
	h.locked(func(s *state) {
		s.unmatched++
		if log = !s.closed && len(s.logged) < maxUnmatchedLogged && !slices.Contains(s.logged, key); log {
			s.logged = append(s.logged, key)
		}
	})
	if log {
		h.scope.T.Logf("%v", err)
	}
	return err
}
