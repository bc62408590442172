package fakehttp

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/jarcoal/httpmock"
	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/latency"
	"github.com/go-qtests/qtests/qtests/pool/fake"
	"github.com/go-qtests/qtests/qtests/pool/internal/faulttest"
)

// cannedResponders are one of each kind.
func cannedResponders() map[string]httpmock.Responder {
	return map[string]httpmock.Responder{
		"string": httpmock.NewStringResponder(200, "a"),
		"bytes":  httpmock.NewBytesResponder(404, []byte("b")),
		"json":   httpmock.NewJsonResponderOrPanic(200, []int{1}),
		"xml":    httpmock.NewXmlResponderOrPanic(500, 3),
	}
}

func TestOnlyWhatAnswersAtOnceIsCanned(t *testing.T) {
	for name, r := range cannedResponders() {
		require.True(t, isCanned(r), name)
	}
	text := httpmock.NewStringResponder(200, "a")
	for name, r := range map[string]httpmock.Responder{
		"the user's": func(req *http.Request) (*http.Response, error) { return text(req) },
		"delayed":    text.Delay(time.Second),
		"two":        text.Then(text),
		"counted":    text.Times(2),
		"header":     text.HeaderSet(http.Header{"A": {"b"}}),
		"error":      httpmock.NewErrorResponder(errors.New("reset")), // inlined where it is called
		"several":    httpmock.ResponderFromMultipleResponses(nil),
	} {
		require.False(t, isCanned(r), name)
	}
}

// A canned answer is a copy of its own, which may be changed.
func TestCannedAnswersAreCopies(t *testing.T) {
	for name, r := range cannedResponders() {
		one, err := r(nil)
		require.NoError(t, err)
		other, err := r(nil)
		require.NoError(t, err)
		require.NotSame(t, one, other, name)
		require.NotSame(t, one.Body, other.Body, name)
	}
}

// A canned answer meets what every answer meets.
func TestCannedAnswers(t *testing.T) {
	h := NewT(t, Config{})
	h.On("GET", "/hints", httpmock.NewStringResponder(103, ""))
	_, _, err := get(t.Context(), h.Client(), "http://api/hints")
	require.ErrorContains(t, err, "GET /hints: the responder answered with an informational status 6 times in a row")

	kept := h.On("GET", "/kept", httpmock.NewStringResponder(200, "ok")).Capture(2)
	for range 3 {
		_, body, err := get(t.Context(), h.Client(), "http://api/kept?n=1")
		require.NoError(t, err)
		require.Equal(t, "ok", body)
	}
	require.Len(t, kept.Captured(), 2)
	require.Equal(t, "gzip", kept.Captured()[1].Header.Get("Accept-Encoding"))
	require.Equal(t, map[string]uint64{"GET /hints": 1, "GET /kept": 3}, h.Calls())
}

// An outage that begins while a canned answer is given is met by its body, and one that is over is not.
func TestOutageOfACannedAnswer(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		h := NewT(q, Config{Latency: latency.Fixed(second)})
		h.On("GET", "/a", httpmock.NewStringResponder(200, "ok"))
		faulttest.Schedule(q, h.Outage().At(1500*time.Millisecond).For(second))
		ask := func() (string, error) {
			_, body, err := get(q.Context(), h.Client(), "http://api/a")
			return body, err
		}
		body, err := ask()
		require.NoError(q, err)
		require.Equal(q, "ok", body)
		_, err = ask()
		require.ErrorIs(q, err, fake.ErrOutage)
		require.Equal(q, 1500*time.Millisecond, q.Elapsed())
		q.Sleep(second)
		_, err = ask()
		require.NoError(q, err)
	})
}

func TestARouteIsFoundAnewWhenRoutesAreRegistered(t *testing.T) {
	h := NewT(t, Config{AllowUnexpected: true})
	ask := func(url string) string {
		_, body, err := get(t.Context(), h.Client(), url)
		if err != nil {
			return "none"
		}
		return body
	}
	answer := func(text string) httpmock.Responder { return httpmock.NewStringResponder(200, text) }
	twice := func(url, want string) {
		t.Helper()
		for range 2 {
			require.Equal(t, want, ask(url))
		}
	}
	twice("http://api/a", "none")
	h.On("GET", "/a", answer("any host"))
	twice("http://api/a", "any host")
	twice("http://API:80/a?q=1#x", "any host")
	h.On("GET", "http://api/a", answer("api"))
	twice("http://api/a", "api")
	twice("http://other/a", "any host")
	twice("http://API:80/a?q=1#x", "api")
	h.On("GET", "http://api/a", answer("api again"))
	twice("http://api/a", "api again")
	h.On("GET", "http://api/a", answer("api at last"))
	twice("http://api/a", "api at last")
	h.On("GET", `=~^http://api/(\d)$`, func(req *http.Request) (*http.Response, error) {
		return httpmock.NewStringResponse(200, httpmock.MustGetSubmatch(req, 1)), nil
	})
	twice("http://api/1", "1")
	twice("http://api/2", "2")
	header := httpmock.HeaderIs("Team", "b")
	h.OnMatch("GET", "http://api/a", header, answer("b"))
	twice("http://api/a", "api at last")
	req, err := http.NewRequestWithContext(t.Context(), "GET", "http://api/a", nil)
	require.NoError(t, err)
	req.Header.Set("Team", "b")
	resp, err := h.RoundTrip(req)
	require.NoError(t, err)
	require.EqualValues(t, 1, resp.ContentLength)
	require.NoError(t, resp.Body.Close())
	twice("http://api/a", "api at last")
	require.EqualValues(t, 21, h.Calls()["GET /a"])
}
