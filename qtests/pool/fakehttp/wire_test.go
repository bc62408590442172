package fakehttp

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/jarcoal/httpmock"
	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/latency"
)

func zipped(text string) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = io.WriteString(w, text)
	_ = w.Close()
	return b.Bytes()
}

// seen is what a client sees of a response.
type seen struct {
	Status        string
	Code          int
	Proto         string
	Major, Minor  int
	Length        int64
	Transfer      []string
	Close         bool
	Uncompressed  bool
	Header        http.Header
	TrailerBefore http.Header
	Body          string
	Err           string
	TrailerAfter  http.Header
	EmptyBody     bool
}

func see(t *testing.T, client *http.Client, req *http.Request) seen {
	resp, err := client.Do(req)
	require.NoError(t, err)
	s := seen{
		Status: resp.Status, Code: resp.StatusCode, Proto: resp.Proto, Major: resp.ProtoMajor, Minor: resp.ProtoMinor,
		Length: resp.ContentLength, Transfer: resp.TransferEncoding, Close: resp.Close, Uncompressed: resp.Uncompressed,
		Header: resp.Header.Clone(), TrailerBefore: maps.Clone(resp.Trailer), EmptyBody: resp.Body == http.NoBody,
	}
	s.Header.Del("Date")
	body, err := io.ReadAll(resp.Body)
	s.Body, s.TrailerAfter = string(body), resp.Trailer
	if err != nil {
		s.Err = err.Error()
	}
	require.NoError(t, resp.Body.Close())
	return s
}

// A client cannot tell the answer of a responder from the same one of net/http's server.
func TestAnswersAreThoseOfNetHTTP(t *testing.T) {
	plain := func(h http.Header) http.Header {
		if h == nil {
			h = http.Header{}
		}
		h.Set("Content-Type", "text/plain")
		return h
	}
	stream := func(text string) io.ReadCloser { return io.NopCloser(struct{ io.Reader }{strings.NewReader(text)}) }
	for name, c := range map[string]struct {
		request func(*http.Request)
		handler http.HandlerFunc
		from    func() *http.Response
	}{
		"200": {nil, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok") },
			func() *http.Response { return httpmock.NewStringResponse(200, "ok") }},
		"503": {nil, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503); _, _ = io.WriteString(w, "down") },
			func() *http.Response { return httpmock.NewStringResponse(503, "down") }},
		"299": {nil, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(299) },
			func() *http.Response { return &http.Response{StatusCode: 299} }},
		"204": {nil, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) },
			func() *http.Response { return httpmock.NewStringResponse(204, "ignored") }},
		"304": {nil, func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Etag", `"1"`); w.WriteHeader(304) },
			func() *http.Response {
				return &http.Response{StatusCode: 304, Header: http.Header{"Etag": {`"1"`}}, Body: stream("ignored")}
			}},
		"empty": {nil, func(http.ResponseWriter, *http.Request) {},
			func() *http.Response { return httpmock.NewStringResponse(200, "") }},
		"HEAD": {func(r *http.Request) { r.Method = "HEAD" }, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "unread") },
			func() *http.Response { return httpmock.NewStringResponse(200, "unread") }},
		"HEAD without a length": {func(r *http.Request) { r.Method = "HEAD" }, func(http.ResponseWriter, *http.Request) {},
			func() *http.Response { return httpmock.NewStringResponse(200, "") }},
		"chunked": {nil, func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "a")
			w.(http.Flusher).Flush()
			_, _ = io.WriteString(w, "b")
		}, func() *http.Response { return &http.Response{StatusCode: 200, Body: stream("ab")} }},
		"header names": {nil, func(w http.ResponseWriter, _ *http.Request) {
			w.Header()["x-one"] = []string{"1"}
			_, _ = io.WriteString(w, "ok")
		},
			func() *http.Response {
				return &http.Response{StatusCode: 200, Header: http.Header{"x-one": {"1"}}, Body: httpmock.NewRespBodyFromString("ok")}
			}},
		"Connection: close": {nil, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Connection", "close")
			_, _ = io.WriteString(w, "ok")
		}, func() *http.Response {
			return &http.Response{StatusCode: 200, Header: http.Header{"Connection": {"close"}}, Body: httpmock.NewRespBodyFromString("ok")}
		}},
		"Request.Close": {func(r *http.Request) { r.Close = true }, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok") },
			func() *http.Response { return httpmock.NewStringResponse(200, "ok") }},
		"too short": {nil, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "5")
			_, _ = io.WriteString(w, "abc")
		}, func() *http.Response { return &http.Response{StatusCode: 200, ContentLength: 5, Body: stream("abc")} }},
		"a Content-Length": {nil, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "3")
			_, _ = io.WriteString(w, "abc")
		}, func() *http.Response {
			return &http.Response{StatusCode: 200, Header: http.Header{"Content-Length": {"3"}}, Body: stream("abc")}
		}},
		"gzip": {nil, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(zipped("unzipped " + r.Header.Get("Accept-Encoding")))
		}, func() *http.Response {
			r := httpmock.NewBytesResponse(200, zipped("unzipped gzip"))
			r.Header.Set("Content-Encoding", "gzip")
			return r
		}},
		"gzip that is asked for": {func(r *http.Request) { r.Header.Set("Accept-Encoding", "gzip") }, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(zipped("zipped"))
		}, func() *http.Response {
			r := httpmock.NewBytesResponse(200, zipped("zipped"))
			r.Header.Set("Content-Encoding", "gzip")
			return r
		}},
		"gzip of a range": {func(r *http.Request) { r.Header.Set("Range", "bytes=0-9") }, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = io.WriteString(w, "raw"+r.Header.Get("Accept-Encoding"))
		}, func() *http.Response {
			r := httpmock.NewStringResponse(200, "raw")
			r.Header.Set("Content-Encoding", "gzip")
			return r
		}},
		"gzip that is none": {nil, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = io.WriteString(w, "this is plain text")
		}, func() *http.Response {
			r := httpmock.NewStringResponse(200, "this is plain text")
			r.Header.Set("Content-Encoding", "gzip")
			return r
		}},
		"trailer": {nil, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Trailer", "X-Sum, X-None")
			_, _ = io.WriteString(w, "ab")
			w.Header().Set("X-Sum", "7")
		}, func() *http.Response {
			return &http.Response{StatusCode: 200, Header: http.Header{"Trailer": {"X-Sum, X-None"}},
				Trailer: http.Header{"X-Sum": {"7"}}, Body: httpmock.NewRespBodyFromString("ab")}
		}},
		"trailer without a body": {nil, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Trailer", "X-Sum")
			w.(http.Flusher).Flush()
			w.Header().Set("X-Sum", "7")
		}, func() *http.Response { return &http.Response{StatusCode: 200, Trailer: http.Header{"x-sum": {"7"}}} }},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				plain(w.Header())
				if name == "304" {
					w.Header().Del("Content-Type")
				}
				c.handler(w, r)
			}))
			defer server.Close()
			h := NewT(t, Config{})
			h.On("GET", "/x", func(*http.Request) (*http.Response, error) {
				r := c.from()
				if name != "304" {
					r.Header = plain(r.Header)
				}
				return r, nil
			})
			h.On("HEAD", "/x", func(*http.Request) (*http.Response, error) { r := c.from(); r.Header = plain(r.Header); return r, nil })
			var all [2]seen
			for i, client := range []*http.Client{server.Client(), h.Client()} {
				req, err := http.NewRequestWithContext(t.Context(), "GET", server.URL+"/x", nil)
				require.NoError(t, err)
				if c.request != nil {
					c.request(req)
				}
				all[i] = see(t, client, req)
			}
			require.Equal(t, all[0], all[1])
		})
	}
}

// What a responder returns may be shared between answers: it stays as it is.
func TestResponsesStayTheResponders(t *testing.T) {
	h := NewT(t, Config{})
	shared := &http.Response{StatusCode: 200, Status: "200", Header: http.Header{"x-one": {"1"}, "Connection": {"close"}}, Trailer: http.Header{"X-Sum": {"7"}}}
	want := *shared
	want.Header, want.Trailer = shared.Header.Clone(), shared.Trailer.Clone()
	h.On("GET", "/x", func(*http.Request) (*http.Response, error) { return shared, nil })
	for range 2 {
		_, _, err := get(t.Context(), h.Client(), "http://api/x")
		require.NoError(t, err)
	}
	require.Equal(t, want, *shared)
}

func TestStatusFaultsHaveTheirText(t *testing.T) {
	h := NewT(t, Config{})
	h.On("GET", "/x", httpmock.NewStringResponder(200, "ok"))
	for code, want := range map[int]string{503: "503 Service Unavailable", 429: "429 Too Many Requests", 204: "204 No Content", 299: "299 status code 299"} {
		burst := h.Status(code)
		burst.Begin()
		resp, err := h.Client().Get("http://api/x")
		require.NoError(t, err)
		require.Equal(t, want, resp.Status)
		require.Equal(t, code == 204 || code == 299, resp.Body == http.NoBody, "299 has no text")
		require.NoError(t, resp.Body.Close())
		burst.End()
	}
}

func TestAStatusThatIsNoAnswer(t *testing.T) {
	h := NewT(t, Config{})
	for _, code := range []int{0, 42, 1000} {
		body := &closeCounter{Reader: strings.NewReader("x")}
		h.On("GET", "/x", func(*http.Request) (*http.Response, error) { return &http.Response{StatusCode: code, Body: body}, nil })
		_, _, err := get(t.Context(), h.Client(), "http://api/x")
		require.ErrorContains(t, err, fmt.Sprintf("http GET /x: the responder answered with the status %d", code))
		require.Equal(t, 1, body.closed)
	}
	require.Zero(t, h.Stats().Pool.InUse)
}

func TestRequestsThatNoTransportTakes(t *testing.T) {
	h := NewT(t, Config{})
	for url, want := range map[string]string{"/x": `unsupported protocol scheme ""`, "ftp://a/x": `unsupported protocol scheme "ftp"`, "http:///x": "no host in the URL"} {
		_, _, err := get(t.Context(), h.Client(), url)
		require.ErrorContains(t, err, want)
	}
}

// A connection that a request or a response wants closed is not used again.
func TestConnectionsThatEnd(t *testing.T) {
	h := NewT(t, Config{})
	h.On("GET", "/x", httpmock.NewStringResponder(200, "ok"))
	h.On("GET", "/close", httpmock.NewStringResponder(200, "ok").HeaderSet(http.Header{"Connection": {"close"}}))
	h.On("GET", "/http10", func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 200, Proto: "HTTP/1.0", ProtoMajor: 1, Body: httpmock.NewRespBodyFromString("old")}, nil
	})
	idle := func() int { return h.Stats().Pool.Idle }
	req, err := http.NewRequestWithContext(t.Context(), "GET", "http://api/x", nil)
	require.NoError(t, err)
	req.Close = true
	resp, err := h.Client().Do(req)
	require.NoError(t, err)
	_, err = io.Copy(io.Discard, resp.Body)
	require.NoError(t, errors.Join(err, resp.Body.Close()))
	require.Zero(t, idle())
	for _, path := range []string{"/close", "/http10"} {
		_, _, err = get(t.Context(), h.Client(), "http://api"+path)
		require.NoError(t, err)
		require.Zero(t, idle(), path)
	}
	for _, url := range []string{"http://api/x", "http://other/x"} {
		_, _, err = get(t.Context(), h.Client(), url)
		require.NoError(t, err)
	}
	require.Equal(t, 2, idle())
	h.Client().CloseIdleConnections()
	require.Zero(t, idle())
	_, _, err = get(t.Context(), h.Client(), "http://api/x")
	require.NoError(t, err, "a new one opens")
}

// The body of a 101 is the connection: it is written to, and outlives the request.
func TestSwitchingProtocols(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		h := NewT(q, Config{Max: 1})
		h.On("GET", "/ws", func(*http.Request) (*http.Response, error) {
			fromClient, toServer := io.Pipe()
			fromServer, toClient := io.Pipe()
			go func() { // echoes
				_, err := io.Copy(toClient, fromClient)
				_ = toClient.CloseWithError(err)
			}()
			return &http.Response{StatusCode: 101, Header: http.Header{"Upgrade": {"echo"}, "Connection": {"Upgrade"}}, Body: struct {
				io.Reader
				io.Writer
				io.Closer
			}{fromServer, toServer, toServer}}, nil
		})
		ctx, cancel := context.WithCancel(context.Background())
		req, err := http.NewRequestWithContext(ctx, "GET", "http://api/ws", nil)
		require.NoError(q, err)
		resp, err := h.Client().Do(req)
		require.NoError(q, err)
		require.Equal(q, []any{"101 Switching Protocols", "echo", "Upgrade"}, []any{resp.Status, resp.Header.Get("Upgrade"), resp.Header.Get("Connection")})
		cancel()
		q.Wait()
		both := resp.Body.(io.ReadWriteCloser)
		_, err = io.WriteString(both, "hello")
		require.NoError(q, err)
		got := make([]byte, 5)
		_, err = io.ReadFull(both, got)
		require.NoError(q, err)
		require.Equal(q, "hello", string(got))
		require.Equal(q, 1, h.Stats().Pool.InUse)
		require.NoError(q, both.Close())
		require.Zero(q, h.Stats().Pool.Total())
		_, err = io.WriteString(both, "late")
		require.Error(q, err)
	})
}

func TestScriptedErrorOfARouteArrivesAsItIs(t *testing.T) {
	h := NewT(t, Config{})
	mine := errors.New("mine")
	for name, script := range map[string]func(s *Stub){
		"route":   func(s *Stub) { s.Error(mine) },
		"connect": func(*Stub) { h.OnConnect().Error(mine) },
	} {
		h.CloseIdleConnections()
		s := h.On("GET", "/x", httpmock.NewStringResponder(200, "ok"))
		script(s)
		req, err := http.NewRequestWithContext(t.Context(), "GET", "http://api/x", nil)
		require.NoError(t, err)
		_, err = h.RoundTrip(req)
		require.True(t, err == mine, "%s: %T %v", name, err, err)
		s.ClearErrors()
		h.OnConnect().ClearErrors()
		resp, err := h.RoundTrip(req)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
	}
}

func TestCapturedRequests(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		h := NewT(q, Config{Latency: latency.Fixed(second)})
		s := h.On("POST", "=~^/order/", func(req *http.Request) (*http.Response, error) {
			_, err := io.ReadFull(req.Body, make([]byte, 3))
			return httpmock.NewStringResponse(201, ""), err
		}).Capture(2)
		start := q.Clock().Now()
		for i, body := range []io.Reader{strings.NewReader("first"), strings.NewReader("second"), struct{ io.Reader }{strings.NewReader("third")}} {
			req, err := http.NewRequestWithContext(context.Background(), "POST", fmt.Sprintf("http://api/order/%d?a=b", i), body)
			require.NoError(q, err)
			req.Header.Set("X-Key", fmt.Sprint(i))
			_, err = h.Client().Do(req)
			require.NoError(q, err)
		}
		header := func(key string) http.Header { return http.Header{"X-Key": {key}, "Accept-Encoding": {"gzip"}} }
		require.Equal(q, []Request{
			{start.Add(2 * second), "POST", "http://api/order/1?a=b", header("1"), []byte("second")},
			{start.Add(3 * second), "POST", "http://api/order/2?a=b", header("2"), []byte("thi")},
		}, s.Captured())
		require.Len(q, s.Captured(), 2)
		require.Empty(q, s.Capture(1).Captured())
	})
}
