package fakehttp

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jarcoal/httpmock"
	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/latency"
)

// events records the hooks of package httptrace.
type events struct {
	mu  sync.Mutex
	all []string
}

func (e *events) add(format string, args ...any) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.all = append(e.all, fmt.Sprintf(format, args...))
}

func (e *events) hooks() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		GetConn: func(hostPort string) { e.add("GetConn %s", hostPort) },
		GotConn: func(i httptrace.GotConnInfo) {
			e.add("GotConn %s reused=%v idle=%v %v", i.Conn.RemoteAddr(), i.Reused, i.WasIdle, i.IdleTime)
		},
		PutIdleConn:          func(err error) { e.add("PutIdleConn %v", err) },
		GotFirstResponseByte: func() { e.add("GotFirstResponseByte") },
		Got100Continue:       func() { e.add("Got100Continue") },
		Got1xxResponse: func(code int, h textproto.MIMEHeader) error {
			e.add("Got1xxResponse %d %s", code, h.Get("Link"))
			return nil
		},
		DNSStart:          func(i httptrace.DNSStartInfo) { e.add("DNSStart %s", i.Host) },
		DNSDone:           func(i httptrace.DNSDoneInfo) { e.add("DNSDone %v", i.Err) },
		ConnectStart:      func(network, addr string) { e.add("ConnectStart %s %s", network, addr) },
		ConnectDone:       func(network, addr string, err error) { e.add("ConnectDone %s %s %v", network, addr, err) },
		TLSHandshakeStart: func() { e.add("TLSHandshakeStart") },
		TLSHandshakeDone:  func(s tls.ConnectionState, err error) { e.add("TLSHandshakeDone %s %v", s.ServerName, err) },
		WroteHeaderField:  func(key string, value []string) { e.add("WroteHeaderField %s %v", key, value) },
		WroteHeaders:      func() { e.add("WroteHeaders") },
		Wait100Continue:   func() { e.add("Wait100Continue") },
		WroteRequest:      func(i httptrace.WroteRequestInfo) { e.add("WroteRequest %v", i.Err) },
	}
}

func TestHooksOfHTTPTrace(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		h := NewT(q, Config{ConnectLatency: latency.Fixed(second), Latency: latency.Fixed(second)})
		h.On("GET", "/x", httpmock.NewStringResponder(200, "ok"))
		h.On("PUT", "/x", httpmock.NewStringResponder(200, "ok")).Inform(103, http.Header{"link": {"</a.css>"}})
		trace := func(method, url string, body io.Reader, header http.Header) ([]string, error) {
			e := &events{}
			req, err := http.NewRequestWithContext(httptrace.WithClientTrace(context.Background(), e.hooks()), method, url, body)
			require.NoError(q, err)
			maps.Copy(req.Header, header)
			resp, err := h.Client().Do(req)
			if err == nil {
				_, err = io.Copy(io.Discard, resp.Body)
				err = errors.Join(err, resp.Body.Close())
			}
			return e.all, err
		}
		got, err := trace("GET", "https://API/x", nil, http.Header{"X-A": {"1"}})
		require.NoError(q, err)
		require.Equal(q, []string{
			"GetConn api:443", "DNSStart api", "DNSDone <nil>", "ConnectStart tcp api:443", "ConnectDone tcp api:443 <nil>",
			"TLSHandshakeStart", "TLSHandshakeDone api <nil>", "GotConn api:443 reused=false idle=false 0s",
			"WroteHeaderField Host [API]", "WroteHeaderField X-A [1]", "WroteHeaders", "WroteRequest <nil>",
			"GotFirstResponseByte", "PutIdleConn <nil>",
		}, got)
		q.Sleep(5 * second)
		got, err = trace("PUT", "https://api/x", strings.NewReader("text"), http.Header{"Expect": {"100-continue"}})
		require.NoError(q, err)
		require.Equal(q, []string{
			"GetConn api:443", "GotConn api:443 reused=true idle=true 5s",
			"WroteHeaderField Host [api]", "WroteHeaderField Expect [100-continue]", "WroteHeaders", "Wait100Continue", "Got100Continue", "WroteRequest <nil>",
			"GotFirstResponseByte", "Got1xxResponse 103 </a.css>", "PutIdleConn <nil>",
		}, got)
		h.HandshakeFailure().Begin()
		got, err = trace("GET", "https://127.0.0.1:8443/x", nil, nil)
		require.ErrorIs(q, err, ErrHandshake)
		require.Equal(q, []string{"GetConn 127.0.0.1:8443", "ConnectStart tcp 127.0.0.1:8443", "ConnectDone tcp 127.0.0.1:8443 <nil>", "TLSHandshakeStart"}, got[:4])
		require.Contains(q, got[4], "TLSHandshakeDone  http: connect: fakehttp: TLS handshake failed")
		require.Len(q, got, 5)
	})
}

// A responder may answer with an informational status: another answer follows.
func TestResponderThatInforms(t *testing.T) {
	h := NewT(t, Config{})
	hints := httpmock.NewStringResponder(103, "").HeaderSet(http.Header{"Link": {"</a.css>"}})
	h.On("GET", "/x", hints.Then(httpmock.NewStringResponder(200, "ok")))
	e := &events{}
	hooks := e.hooks()
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{GotFirstResponseByte: hooks.GotFirstResponseByte, Got1xxResponse: hooks.Got1xxResponse})
	status, body, err := get(ctx, h.Client(), "http://api/x")
	require.NoError(t, err)
	require.Equal(t, []any{200, "ok"}, []any{status, body})
	require.Equal(t, []string{"GotFirstResponseByte", "Got1xxResponse 103 </a.css>"}, e.all)
	h.On("GET", "/x", hints)
	_, _, err = get(t.Context(), h.Client(), "http://api/x")
	require.ErrorContains(t, err, "http GET /x: the responder answered with an informational status 6 times in a row")
}

// The first byte of an answer comes when the responder has answered.
func TestFirstByteComesWithTheAnswer(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		h := NewT(q, Config{Latency: latency.Fixed(second)})
		h.On("GET", "/x", func(*http.Request) (*http.Response, error) {
			q.Sleep(second)
			return httpmock.NewStringResponse(200, "ok"), nil
		})
		at := make([]time.Duration, 2)
		ctx := httptrace.WithClientTrace(q.Context(), &httptrace.ClientTrace{
			WroteRequest:         func(httptrace.WroteRequestInfo) { at[0] = q.Elapsed() },
			GotFirstResponseByte: func() { at[1] = q.Elapsed() },
		})
		_, _, err := get(ctx, h.Client(), "http://api/x")
		require.NoError(q, err)
		require.Equal(q, []time.Duration{0, 2 * second}, at)
	})
}

// A hook that is told of an informational answer may end the request.
func TestHookThatEndsTheRequest(t *testing.T) {
	h := NewT(t, Config{})
	h.On("GET", "/x", httpmock.NewStringResponder(200, "ok")).Inform(103, nil).Inform(102, nil)
	var codes []int
	mine := errors.New("mine")
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{Got1xxResponse: func(code int, _ textproto.MIMEHeader) error {
		if codes = append(codes, code); code == 102 {
			return mine
		}
		return nil
	}})
	_, _, err := get(ctx, h.Client(), "http://api/x")
	require.ErrorIs(t, err, mine)
	require.Equal(t, []int{103, 102}, codes)
	require.Zero(t, h.Stats().Pool.InUse)
}
