package fakehttp

import (
	"io"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"net/url"
	"testing"

	"github.com/jarcoal/httpmock"
	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
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
