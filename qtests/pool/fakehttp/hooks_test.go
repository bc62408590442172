package fakehttp

import (
	"io"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/jarcoal/httpmock"
	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/pool/internal/fault"
	"github.com/go-qtests/qtests/qtests/tbtest"
)

// Each hook is called where it is set, and left out where it is not.
func TestHooksOfInformation(t *testing.T) {
	var got []int
	continued := &httptrace.ClientTrace{Got100Continue: func() { got = append(got, 0) }}
	informed := &httptrace.ClientTrace{Got1xxResponse: func(code int, _ textproto.MIMEHeader) error { got = append(got, code); return io.ErrNoProgress }}
	for _, c := range []struct {
		hooks *httptrace.ClientTrace
		code  int
		want  []int
		err   error
	}{
		{&httptrace.ClientTrace{}, 100, nil, nil}, {continued, 100, []int{0}, nil}, {continued, 103, nil, nil}, {informed, 100, []int{100}, io.ErrNoProgress}, {informed, 103, []int{103}, io.ErrNoProgress},
	} {
		got = nil
		require.ErrorIs(t, (&tracer{hooks: c.hooks}).informed(c.code, nil), c.err)
		require.Equal(t, c.want, got)
	}
}

func TestHostOfTheHeader(t *testing.T) {
	req := &http.Request{URL: &url.URL{Host: "of.the.url"}}
	require.Equal(t, "of.the.url", hostHeader(req))
	req.Host = "of.the.request"
	require.Equal(t, "of.the.request", hostHeader(req))
}

// A request that needs no connection any more is forgotten, and the others of its host are not.
func TestDialsAreForgotten(t *testing.T) {
	h := NewT(t, Config{})
	a, b := &pendingDial{address: "a"}, &pendingDial{address: "b"}
	h.locked(func(s *state) { s.dials["api"] = []*pendingDial{a, b} })
	left := func() (all []*pendingDial, known bool) {
		h.locked(func(s *state) { all, known = s.dials["api"] })
		return all, known
	}
	h.unexpectDial("api", nil)
	h.unexpectDial("api", a)
	all, known := left()
	require.Equal(t, []*pendingDial{b}, all)
	require.True(t, known)
	h.unexpectDial("api", b)
	_, known = left()
	require.False(t, known)
}

// A body that was read to its length gives its connection back, also if its end was not read.
func TestReadToItsLength(t *testing.T) {
	h := NewT(t, Config{})
	h.On("GET", "/x", httpmock.NewStringResponder(200, "abc"))
	for read, reused := range map[int]bool{3: true, 2: false} {
		h.Client().CloseIdleConnections()
		resp, err := h.Client().Get("http://api/x")
		require.NoError(t, err)
		_, err = io.ReadFull(resp.Body, make([]byte, read))
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		again := false
		trace := &httptrace.ClientTrace{GotConn: func(c httptrace.GotConnInfo) { again = c.Reused }}
		_, _, err = get(httptrace.WithClientTrace(t.Context(), trace), h.Client(), "http://api/x")
		require.NoError(t, err)
		require.Equal(t, reused, again, "%d bytes", read)
	}
}

// Where nothing is left behind, nothing is waited for.
func TestEndsAtOnce(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		q.Cleanup(func() { require.Zero(q, q.Elapsed()) })
		h := NewT(q, Config{})
		h.On("GET", "/x", httpmock.NewStringResponder(200, "abc"))
		_, _, err := get(q.Context(), h.Client(), "http://api/x")
		require.NoError(q, err)
	})
}

// Of a request everything is compared that a server would see, in one form.
func TestNormalURLs(t *testing.T) {
	for _, c := range []struct {
		url  url.URL
		want string
	}{
		{url.URL{Scheme: "HTTP", Host: "api", Path: "/x"}, "http://api/x"},
		{url.URL{Scheme: "http", Host: "API:80", Path: "/x"}, "http://api/x"},
		{url.URL{Scheme: "http", Host: "api", Path: "/x", Fragment: "a"}, "http://api/x"},
		{url.URL{Scheme: "http", Host: "api"}, "http://api/"},
		{url.URL{Scheme: "http", Host: "api", Path: "/x", RawQuery: "b=1&a=2"}, "http://api/x?a=2&b=1"},
		{url.URL{Scheme: "http", Host: "api", Path: "/x"}, "http://api/x"},
	} {
		require.Equal(t, c.want, normal(&c.url).String())
	}
	rare := url.URL{Scheme: "http", Host: "api", Path: "/x", RawFragment: "a"}
	require.Empty(t, normal(&rare).RawFragment)
}

// Retry-After is in whole seconds, rounded up, and is left out without a time.
func TestRetryAfterInSeconds(t *testing.T) {
	for d, want := range map[time.Duration]string{1: "1", time.Second - 1: "1", time.Second: "1", time.Second + 1: "2", 3 * time.Second: "3"} {
		h := NewT(t, Config{})
		h.RetryAfter(503, d).Begin()
		require.Equal(t, want, h.status(fault.Targets{}).Header.Get("Retry-After"), "%v", d)
	}
	h := NewT(t, Config{})
	h.Status(503).Begin()
	require.Empty(t, h.status(fault.Targets{}).Header.Values("Retry-After"))
}

// What is kept of a body that comes in pieces ends at its bound.
func TestCapturedBodyIsBounded(t *testing.T) {
	h := NewT(t, Config{})
	kept := &Request{}
	r := recorded{io.NopCloser(strings.NewReader(strings.Repeat("x", maxCapturedBody+5))), h.On("GET", "/x", httpmock.NewStringResponder(200, "")), kept}
	for _, size := range []int{maxCapturedBody - 3, 2, 6} {
		_, err := io.ReadFull(&r, make([]byte, size))
		require.NoError(t, err)
	}
	require.Len(t, kept.Body, maxCapturedBody)
}

func TestCaptureOfNothing(t *testing.T) {
	rec := tbtest.Run("t", func(tb *tbtest.TB) {
		NewT(tb, Config{}).On("GET", "/x", httpmock.NewStringResponder(200, "")).Capture(0)
	})
	require.Contains(t, rec.Errors(), "Capture: 0 is not above 0")
}
