package fakehttp

import (
	"crypto/tls"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"strings"
	"time"

	"github.com/go-qtests/qtests/qtests/internal/text"
)

// A tracer calls the hooks of package httptrace that a request has. A nil one calls none.
type tracer struct {
	hooks *httptrace.ClientTrace
	began bool // the answer has
}

// traceOf returns the tracer of a request, nil if it has no hooks.
func traceOf(req *http.Request) *tracer {
	if hooks := httptrace.ContextClientTrace(req.Context()); hooks != nil {
		return &tracer{hooks: hooks}
	}
	return nil
}

func (t *tracer) getConn(address string) {
	if t != nil && t.hooks.GetConn != nil {
		t.hooks.GetConn(address)
	}
}

// gotConn tells of the connection. One that the caller waited for was never idle.
func (t *tracer) gotConn(c *conn, asked, now time.Duration) {
	if t == nil || t.hooks.GotConn == nil {
		return
	}
	info := httptrace.GotConnInfo{Conn: c, Reused: c.uses > 0}
	if info.Reused && c.since <= asked {
		info.WasIdle, info.IdleTime = true, now-c.since
	}
	t.hooks.GotConn(info)
}

func (t *tracer) putIdle() {
	if t != nil && t.hooks.PutIdleConn != nil {
		t.hooks.PutIdleConn(nil)
	}
}

// wroteRequest tells of the request on its way to the server.
func (t *tracer) wroteRequest(req *http.Request) {
	if t == nil {
		return
	}
	if t.hooks.WroteHeaderField != nil {
		t.hooks.WroteHeaderField("Host", []string{hostHeader(req)})
		for _, name := range text.SortedKeys(req.Header) {
			t.hooks.WroteHeaderField(name, req.Header[name])
		}
	}
	if t.hooks.WroteHeaders != nil {
		t.hooks.WroteHeaders()
	}
	if waits := req.Body != nil && strings.EqualFold(req.Header.Get("Expect"), "100-continue"); waits {
		if t.hooks.Wait100Continue != nil {
			t.hooks.Wait100Continue()
		}
		if t.hooks.Got100Continue != nil {
			t.hooks.Got100Continue()
		}
	}
	if t.hooks.WroteRequest != nil {
		t.hooks.WroteRequest(httptrace.WroteRequestInfo{})
	}
}

// firstByte tells, once, that the answer begins.
func (t *tracer) firstByte() {
	if t == nil || t.began {
		return
	}
	if t.began = true; t.hooks.GotFirstResponseByte != nil {
		t.hooks.GotFirstResponseByte()
	}
}

// informed tells of an informational answer. An error of the hook ends the request.
func (t *tracer) informed(code int, header http.Header) error {
	if t == nil {
		return nil
	}
	t.firstByte()
	if code == http.StatusContinue && t.hooks.Got100Continue != nil {
		t.hooks.Got100Continue()
	}
	if t.hooks.Got1xxResponse == nil {
		return nil
	}
	return t.hooks.Got1xxResponse(code, textproto.MIMEHeader(canonical(header)))
}

// dialing tells of the begin of a connection.
func (t *tracer) dialing(address string) {
	if t == nil {
		return
	}
	host, _, _ := net.SplitHostPort(address)
	if named := net.ParseIP(host) == nil; named && t.hooks.DNSStart != nil {
		t.hooks.DNSStart(httptrace.DNSStartInfo{Host: host})
	}
	if named := net.ParseIP(host) == nil; named && t.hooks.DNSDone != nil {
		t.hooks.DNSDone(httptrace.DNSDoneInfo{Addrs: []net.IPAddr{{IP: localhost}}})
	}
	if t.hooks.ConnectStart != nil {
		t.hooks.ConnectStart("tcp", address)
	}
}

func (t *tracer) dialed(address string, err error) {
	if t != nil && t.hooks.ConnectDone != nil {
		t.hooks.ConnectDone("tcp", address, err)
	}
}

// secured tells of the handshake of a https connection.
func (t *tracer) secured(host string, err error) {
	if t == nil {
		return
	}
	if t.hooks.TLSHandshakeStart != nil {
		t.hooks.TLSHandshakeStart()
	}
	if t.hooks.TLSHandshakeDone != nil {
		var s tls.ConnectionState
		if err == nil {
			s = tls.ConnectionState{Version: tls.VersionTLS13, HandshakeComplete: true, ServerName: host}
		}
		t.hooks.TLSHandshakeDone(s, err)
	}
}

func hostHeader(req *http.Request) string {
	if req.Host != "" {
		return req.Host
	}
	return req.URL.Host
}

// A pendingDial is a request that may have a connection dialed. The next one that is
// dialed to its host calls its hooks.
type pendingDial struct {
	trace   *tracer
	scheme  string
	address string
}
