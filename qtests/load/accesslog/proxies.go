package accesslog

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/go-qtests/qtests/qtests/internal/text"
)

// haproxy is how a line of HAProxy begins: client:port [time without a zone] frontend backend/server timers
// status bytes.
var haproxy = regexp.MustCompile(`^(\S+):\d+ \[(\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d(?:\.\d+)?)\] (\S+) (\S+) (\+?-?\d+(?:/\+?-?\d+)+) (\S+) (\S+) `)

func mayBeHAProxy(line string) bool {
	port, _, _ := strings.Cut(line, " [")
	return port != "" && port[len(port)-1] >= '0' && port[len(port)-1] <= '9'
}

// ofHAProxy reads a line of HAProxy's option httplog. The request is the first text in quotes, because
// HAProxy escapes quotes everywhere else.
func (r *reader) ofHAProxy(line string) (e Entry, err error) {
	m := haproxy.FindStringSubmatch(line)
	if e.At, err = r.times.in(haproxyTime, m[2]); err != nil {
		return e, err
	}
	client, ok := address(m[1])
	if !ok && !nobody(m[1]) {
		return e, fmt.Errorf("%q in the place of the client is no address", text.Clip(m[1], 40))
	}
	e.Client = client
	_, rest, ok := strings.Cut(line[len(m[0]):], `"`)
	if !ok {
		return e, errors.New("no quoted request")
	}
	request, _, ok := strings.Cut(rest, `"`)
	if !ok {
		return e, errors.New("no end of the quoted request")
	}
	if e.Method, e.Path, err = splitRequest(request); err != nil {
		return e, err
	}
	e.Path = origin(e.Path)
	return e, answer(&e, m[6], m[7])
}

// envoy is how a line of Envoy begins: [time] "METHOD path protocol".
var envoy = regexp.MustCompile(`^\[(` + isoTime + `)\] (".*)$`)

// The places of the words after the request, in the default format of Envoy and in that of Istio.
const (
	envoySent, envoyForwarded                = 3, 6
	istioSent, istioForwarded, istioPeer     = 6, 9, 17
	envoyLeast, istioLeast, istioTransportAt = 7, 10, 4
)

// ofEnvoy reads a line of Envoy:
//
//	[time] "request" status flags received sent duration upstream "forwarded" …
//	[time] "request" status flags details ending "transport" received sent duration upstream "forwarded" … peer … (Istio)
func (r *reader) ofEnvoy(line string) (e Entry, err error) {
	m := envoy.FindStringSubmatch(line)
	if e.At, err = r.times.in(time.RFC3339, m[1]); err != nil {
		return e, err
	}
	f := words(m[2])
	if e.Method, e.Path, err = splitRequest(unquoted(f[0])); err != nil {
		return e, err
	}
	f = f[1:]
	sent, forwarded, least := envoySent, envoyForwarded, envoyLeast
	if len(f) > istioTransportAt && strings.HasPrefix(f[istioTransportAt], `"`) {
		sent, forwarded, least = istioSent, istioForwarded, istioLeast
	}
	if len(f) < least || !strings.HasPrefix(f[forwarded], `"`) {
		return e, errors.New("neither the default format of Envoy nor that of Istio")
	}
	client, ok := clientOf(f[forwarded])
	if !ok {
		return e, fmt.Errorf("%s in the place of X-Forwarded-For is no list of addresses", text.Clip(f[forwarded], 40))
	}
	if client == "" && least == istioLeast && len(f) > istioPeer {
		client, _ = address(f[istioPeer])
	}
	e.Client = client
	return e, answer(&e, f[0], f[sent])
}
