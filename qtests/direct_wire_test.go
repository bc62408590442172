package qtests

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// An exchange is one request to one handler, which must look the same to the
// client through Direct as over the wire.
type exchange struct {
	name    string
	method  string // GET if empty
	path    string
	body    io.Reader
	header  http.Header
	handler http.HandlerFunc
}

func exchanges() []exchange {
	write := func(s string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, s) }
	}
	status := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
	}
	long := strings.Repeat("long ", 30_000)
	return []exchange{
		{name: "nothing written", handler: func(http.ResponseWriter, *http.Request) {}},
		{name: "implicit 200", handler: write("hello")},
		{name: "sniffed html", handler: write("<html><body>x")},
		{name: "2048 bytes", handler: write(long[:2048])},
		{name: "2049 bytes", handler: write(long[:2049])},
		{name: "4097 bytes", handler: write(long[:4097])},
		{name: "150,000 bytes", handler: write(long)},
		{name: "copied", handler: func(w http.ResponseWriter, _ *http.Request) {
			n, err := io.Copy(w, io.LimitReader(strings.NewReader(long), 100_000))
			if n != 100_000 || err != nil {
				panic(err)
			}
		}},
		{name: "copied from what breaks", handler: func(w http.ResponseWriter, _ *http.Request) {
			n, err := io.Copy(w, io.MultiReader(strings.NewReader("half"), errReader{}))
			_, _ = fmt.Fprint(w, n, err)
		}},
		{name: "copied behind the length", handler: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "5")
			_, err := io.Copy(w, io.LimitReader(strings.NewReader("hello!"), 6))
			if !errors.Is(err, http.ErrContentLength) {
				panic(err)
			}
		}},
		{name: "long write behind a short length", handler: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "5000")
			_, err := io.WriteString(w, long[:6000])
			if !errors.Is(err, http.ErrContentLength) {
				panic(err)
			}
		}},
		{name: "many small writes", handler: func(w http.ResponseWriter, _ *http.Request) {
			for range 1000 {
				_, _ = w.Write([]byte("hello, "))
			}
		}},
		{name: "flushed", handler: func(w http.ResponseWriter, _ *http.Request) {
			for range 3 {
				_, _ = io.WriteString(w, "event\n")
				w.(http.Flusher).Flush()
			}
		}},
		{name: "flush without a body", handler: func(w http.ResponseWriter, _ *http.Request) { w.(http.Flusher).Flush() }},
		{name: "204", handler: status(204)},
		{name: "304", handler: status(304)},
		{name: "304 with headers of a body", handler: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/plain")
			w.Header().Set("Content-Length", "5")
			w.WriteHeader(304)
		}},
		{name: "204 with headers of a body", handler: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/plain")
			w.WriteHeader(204)
		}},
		{name: "404", handler: http.NotFound},
		{name: "599, which has no name", handler: status(599)},
		{name: "no body allowed", handler: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "5")
			w.WriteHeader(204)
			_, err := io.WriteString(w, "hello")
			if !errors.Is(err, http.ErrBodyNotAllowed) {
				panic(err)
			}
		}},
		{name: "early hints", handler: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Link", "</x.css>")
			w.WriteHeader(http.StatusEarlyHints)
			w.WriteHeader(201)
		}},
		{name: "status twice", handler: func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(201)
			w.WriteHeader(500)
		}},
		{name: "headers too late", handler: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Early", "1")
			w.WriteHeader(200)
			w.Header().Set("X-Early", "2")
			w.Header().Set("X-Late", "2")
		}},
		{name: "own type, date and encoding", handler: func(w http.ResponseWriter, _ *http.Request) {
			w.Header()["Content-Type"] = nil
			w.Header()["Date"] = []string{"today"}
			w.Header().Set("Content-Encoding", "br")
			_, _ = io.WriteString(w, "hello")
		}},
		{name: "length kept", handler: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "5")
			_, _ = io.WriteString(w, "hello")
			w.(http.Flusher).Flush()
		}},
		{name: "length not reached", handler: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "50")
			_, _ = io.WriteString(w, "hello")
		}},
		{name: "length not reached, flushed", handler: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "50")
			_, _ = io.WriteString(w, "hello")
			w.(http.Flusher).Flush()
		}},
		{name: "length passed", handler: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "5")
			_, _ = io.WriteString(w, "hello")
			_, err := io.WriteString(w, "!")
			if !errors.Is(err, http.ErrContentLength) {
				panic(err)
			}
		}},
		{name: "length 0", handler: func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Length", "0") }},
		{name: "length that is none", handler: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "five")
			_, _ = io.WriteString(w, "hello")
		}},
		{name: "panic", handler: func(http.ResponseWriter, *http.Request) { panic("boom") }},
		{name: "abort", handler: func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }},
		{name: "goexit", handler: func(http.ResponseWriter, *http.Request) { runtime.Goexit() }},
		{name: "bad status", handler: status(42)},
		{name: "panic after writing", handler: func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "hello")
			panic("boom")
		}},
		{name: "panic after flushing", handler: func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "hello")
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		}},
		{name: "declared trailers", handler: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Trailer", "X-Sum, x-empty")
			w.Header().Add("Trailer", "X-More")
			_, _ = io.WriteString(w, "hello")
			w.Header().Set("X-Sum", "42")
			w.Header().Set("X-More", "43")
		}},
		{name: "undeclared trailers, flushed", handler: func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "hello")
			w.(http.Flusher).Flush()
			w.Header().Set(http.TrailerPrefix+"X-Sum", "42")
		}},
		{name: "HEAD", method: "HEAD", handler: write("hello")},
		{name: "HEAD, long", method: "HEAD", handler: write(long)},
		{name: "HEAD, nothing written", method: "HEAD", handler: func(http.ResponseWriter, *http.Request) {}},
		{name: "HEAD, flushed", method: "HEAD", handler: func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "hello")
			w.(http.Flusher).Flush()
		}},
		{name: "request as seen", path: "/a%2Fb/c?x=1&y=%20", header: http.Header{"X-Many": {"1", "2"}}, handler: showRequest},
		{name: "request without path", handler: showRequest},
		{name: "request without user agent", header: http.Header{"User-Agent": {""}}, handler: showRequest},
		{name: "request with user agent", header: http.Header{"User-Agent": {"me"}}, handler: showRequest},
		{name: "request with two user agents", header: http.Header{"User-Agent": {"me", "you"}}, handler: showRequest},
		{name: "request with lists of nothing", header: http.Header{"User-Agent": {}, "X-None": {}}, handler: showRequest},
		{name: "POST in memory", method: "POST", body: strings.NewReader("hello"), handler: showRequest},
		{name: "POST empty", method: "POST", body: strings.NewReader(""), handler: showRequest},
		{name: "POST nothing", method: "POST", handler: showRequest},
		{name: "PUT stream", method: "PUT", body: io.MultiReader(strings.NewReader(long), strings.NewReader("!")), handler: showRequest},
		{name: "PUT broken stream", method: "PUT", body: io.MultiReader(strings.NewReader("half"), errReader{}), handler: showRequest},
		{name: "body not read", method: "POST", body: strings.NewReader(long), handler: write("thanks")},
		{name: "stream not read", method: "POST", body: io.MultiReader(strings.NewReader("x")), handler: write("thanks")},
		{name: "redirect", path: "/old", handler: func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/old" {
				http.Redirect(w, r, "/new", http.StatusFound)
				return
			}
			showRequest(w, r)
		}},
		{name: "redirect with body", path: "/old", method: "POST", body: strings.NewReader("again"), handler: func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/old" {
				http.Redirect(w, r, "/new", http.StatusTemporaryRedirect)
				return
			}
			showRequest(w, r)
		}},
		{name: "redirects for ever", handler: func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/", http.StatusFound) }},
		{name: "cookies", path: "/first", handler: func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/first" {
				http.SetCookie(w, &http.Cookie{Name: "session", Value: "7"})
				http.Redirect(w, r, "/second", http.StatusSeeOther)
				return
			}
			showRequest(w, r)
		}},
		{name: "mux", path: "/item/7", handler: func() http.HandlerFunc {
			mux := http.NewServeMux()
			mux.HandleFunc("GET /item/{id}", func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.PathValue("id")) })
			return mux.ServeHTTP
		}()},
		{name: "too large", method: "POST", body: strings.NewReader("hello"), handler: func(w http.ResponseWriter, r *http.Request) {
			_, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 3))
			http.Error(w, fmt.Sprint(err), http.StatusRequestEntityTooLarge)
		}},
	}
}

type errReader struct{}

func (errReader) Read([]byte) (int, error) { return 0, errors.New("disk on fire") }

// showRequest answers with the request.
func showRequest(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	_, again := r.Body.Read(make([]byte, 1))
	header := r.Header.Clone()
	header.Del("Accept-Encoding") // the wire's client offers gzip
	_, deadline := r.Context().Deadline()
	sum := len(body)
	_, _ = fmt.Fprintf(w, "%s %s %q %q %s %q\n%v %v %v %d %v\n%v %v %d %.20s %v %v", r.Method, r.URL, r.URL.Path, r.URL.RawPath, r.Proto, r.RequestURI,
		r.Host, header, r.TransferEncoding, r.ContentLength, deadline, err, again, sum, body, r.Context().Err(), r.Trailer)
}

// TestDirectIsLikeTheWire plays every exchange through Direct and through Serve.
func TestDirectIsLikeTheWire(t *testing.T) {
	// The bodies are used up by one client: each gets its own.
	wire, direct := exchanges(), exchanges()
	for i, e := range wire {
		t.Run(e.name, func(t *testing.T) {
			var want, got string
			Run(t, func(q *T) {
				AllowPanics(q)
				s := q.Serve(e.handler)
				want = e.play(q, s.Client())
			})
			Run(t, func(q *T) {
				AllowPanics(q)
				got = direct[i].play(q, q.Direct(e.handler))
			})
			require.Equal(t, want, got)
		})
	}
}

// play sends the request and describes all that the client can see.
func (e exchange) play(q *T, c *http.Client) string {
	c.Jar, _ = cookiejar.New(nil)
	req, err := http.NewRequestWithContext(q.Context(), e.method, "http://shop.example"+e.path, e.body)
	require.NoError(q, err)
	if e.header != nil {
		req.Header = e.header
	}
	resp, err := c.Do(req)
	if err != nil {
		if resp != nil {
			_ = resp.Body.Close()
		}
		return fmt.Sprint("error: ", err)
	}
	declared := fmt.Sprint(resp.Trailer)
	body, err := io.ReadAll(resp.Body)
	require.NoError(q, resp.Body.Close())
	_, after := resp.Body.Read(make([]byte, 1))
	if resp.Body == http.NoBody {
		after = nil
	}
	return fmt.Sprintf("%s %d %s %v\nlength %d %v, read %d %v then %v\ntrailers %s %v none %t\n%s",
		resp.Status, resp.StatusCode, resp.Proto, resp.Header, resp.ContentLength, resp.TransferEncoding,
		len(body), err, after, declared, resp.Trailer, resp.Trailer == nil, body)
}
