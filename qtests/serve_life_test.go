package qtests

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/internal/memnet"
	"github.com/go-qtests/qtests/qtests/tb"
)

func TestServeKeepsConnectionsAlive(t *testing.T) {
	Run(t, func(q *T) {
		clients := map[string]int{}
		s := q.Serve(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { clients[r.RemoteAddr]++ }))
		for range 100 {
			require.NoError(q, fetch(q.Context(), s, "/"))
			q.Sleep(time.Hour)
		}
		require.Len(q, clients, 1, "one connection for all")
		host, port, err := net.SplitHostPort(firstKey(clients))
		require.NoError(q, err, "middleware takes the address apart")
		require.NotNil(q, net.ParseIP(host))
		require.NotEmpty(q, port)
	})
}

func firstKey(m map[string]int) string {
	for k := range m {
		return k
	}
	return ""
}

func TestServeStreams(t *testing.T) {
	Run(t, func(q *T) {
		s := q.Serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			rc := http.NewResponseController(w)
			_ = rc.EnableFullDuplex()
			_ = rc.Flush()
			lines := bufio.NewScanner(r.Body)
			for lines.Scan() {
				_, _ = fmt.Fprintln(w, strings.ToUpper(lines.Text()))
				_ = rc.Flush()
			}
		}))
		up, send := io.Pipe()
		resp, err := s.Client().Post(s.URL, "text/plain", up)
		require.NoError(q, err)
		answers := bufio.NewReader(resp.Body)
		for i := range 5 {
			q.Sleep(time.Minute)
			_, err = fmt.Fprintf(send, "line %d\n", i)
			require.NoError(q, err)
			got, err := answers.ReadString('\n')
			require.NoError(q, err)
			require.Equal(q, fmt.Sprintf("LINE %d\n", i), got)
		}
		require.NoError(q, send.Close())
		_, err = answers.ReadString('\n')
		require.Equal(q, io.EOF, err)
		require.NoError(q, resp.Body.Close())
		require.Equal(q, 5*time.Minute, q.Elapsed())
	})
}

// TestServeShutdown lets the request under way end and refuses the next one.
func TestServeShutdown(t *testing.T) {
	Run(t, func(q *T) {
		s := q.Serve(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			q.Clock().Sleep(time.Hour)
			_, _ = io.WriteString(w, "done")
		}))
		under := make(chan error, 1)
		q.Go(func() { under <- fetch(q.Context(), s, "/") })
		q.Sleep(time.Minute)
		down := make(chan error, 1)
		q.Go(func() { down <- s.HTTPServer().Shutdown(q.Context()) })
		q.Sleep(time.Minute)
		require.ErrorContains(q, fetch(q.Context(), s, "/"), "connection refused")
		require.Empty(q, down, "it waits for the request")
		require.NoError(q, <-under)
		require.Equal(q, time.Hour, tb.Round(q.Elapsed()))
		require.NoError(q, <-down)
		require.Less(q, q.Elapsed(), time.Hour+time.Second, "Shutdown looks every half second")
	})
}

func TestServeShutdownGivesUp(t *testing.T) {
	Run(t, func(q *T) {
		s := q.Serve(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
		under := make(chan error, 1)
		q.Go(func() { under <- fetch(q.Context(), s, "/") })
		q.Wait()
		ctx, cancel := q.Clock().WithTimeout(q.Context(), 10*time.Second)
		defer cancel()
		require.ErrorIs(q, s.HTTPServer().Shutdown(ctx), context.DeadlineExceeded)
		require.Equal(q, 10*time.Second, tb.Round(q.Elapsed()))
		s.Close()
		require.ErrorIs(q, <-under, io.EOF)
		s.Close()
	})
}

// TestServeHandlerEndsBadly loses one request at a time, not the server.
func TestServeHandlerEndsBadly(t *testing.T) {
	for name, end := range map[string]func(){
		"panic":  func() { panic("boom") },
		"abort":  func() { panic(http.ErrAbortHandler) },
		"goexit": runtime.Goexit,
	} {
		t.Run(name, func(t *testing.T) {
			Run(t, func(q *T) {
				AllowPanics(q)
				s := q.Serve(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
					if r.URL.Path == "/bad" {
						end()
					}
				}))
				require.ErrorIs(q, fetch(q.Context(), s, "/bad"), io.EOF)
				require.NoError(q, fetch(q.Context(), s, "/good"))
				require.Zero(q, q.Elapsed())
			})
		})
	}
}

// TestServeClientDropsTheBody leaves in the middle of either body.
func TestServeClientDropsTheBody(t *testing.T) {
	Run(t, func(q *T) {
		var wrote, read, ended error
		s := q.Serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch r.Method {
			case "GET":
				for wrote == nil {
					_, wrote = w.Write(make([]byte, 10_000))
				}
			case "POST":
				_, read = io.ReadAll(r.Body)
			}
			q.Clock().Sleep(time.Second)
			ended = r.Context().Err()
		}))
		resp, err := s.Client().Get(s.URL)
		require.NoError(q, err)
		_, err = io.ReadFull(resp.Body, make([]byte, 50_000))
		require.NoError(q, err)
		q.Wait()
		require.NoError(q, wrote, "the handler waits for the client")
		require.NoError(q, resp.Body.Close())
		q.Sleep(2 * time.Second)
		require.ErrorContains(q, wrote, "broken pipe")
		require.ErrorIs(q, ended, context.Canceled)

		ctx, cancel := context.WithCancel(q.Context())
		up, send := io.Pipe()
		q.Go(func() {
			_, _ = send.Write([]byte("half of"))
			q.Clock().Sleep(time.Second) // it is on its way
			cancel()
			q.Clock().Sleep(time.Second)
			_ = send.Close() // the transport waits for its reader
		})
		req, err := http.NewRequestWithContext(ctx, "POST", s.URL, up)
		require.NoError(q, err)
		_, err = s.Client().Do(req)
		require.ErrorIs(q, err, context.Canceled)
		q.Sleep(2 * time.Second)
		require.ErrorIs(q, read, io.ErrUnexpectedEOF)
	})
}

// TestServeExpectContinue sends a body only when the handler reads it, or after
// the second that http.DefaultTransport waits as well.
func TestServeExpectContinue(t *testing.T) {
	Run(t, func(q *T) {
		s := q.Serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch r.URL.Path {
			case "/read":
				q.Clock().Sleep(time.Second / 2)
				_, _ = io.Copy(io.Discard, r.Body)
			case "/slow":
				q.Clock().Sleep(time.Minute)
			case "/reject":
				w.WriteHeader(http.StatusForbidden)
			}
		}))
		for path, wantRead := range map[string]time.Duration{"/read": time.Second / 2, "/slow": time.Second, "/reject": -1} {
			start, read := q.Clock().Now(), time.Duration(-1)
			body := readerFunc(func([]byte) (int, error) {
				read = tb.Round(q.Clock().Since(start))
				return 0, io.EOF
			})
			req, err := http.NewRequestWithContext(q.Context(), "POST", s.URL+path, body)
			require.NoError(q, err)
			req.Header.Set("Expect", "100-continue")
			resp, err := s.Client().Do(req)
			require.NoError(q, err)
			require.NoError(q, resp.Body.Close())
			require.Equal(q, wantRead, read, path)
		}
	})
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// TestServeTimeouts has the timeouts of http.Server end, on the dot, connections
// on which too little happens.
func TestServeTimeouts(t *testing.T) {
	const request = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n"
	for _, c := range []struct {
		name string
		set  func(*http.Server)
		say  string
		want time.Duration // until the connection ends
	}{
		{"header", func(s *http.Server) { s.ReadHeaderTimeout = 3 * time.Second }, request[:20], 3 * time.Second},
		{"nothing said", func(s *http.Server) { s.ReadTimeout = 4 * time.Second }, "", 4 * time.Second},
		{"body", func(s *http.Server) { s.ReadTimeout = 5 * time.Second }, request + "he", 5 * time.Second},
		{"idle", func(s *http.Server) { s.IdleTimeout = 7 * time.Second }, request + "hello", 7 * time.Second},
		{"response", func(s *http.Server) { s.WriteTimeout = 9 * time.Second }, request + "large", 9 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			Run(t, func(q *T) {
				gone := make(chan struct{})
				s := q.Serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					body, err := io.ReadAll(r.Body)
					if string(body) == "large" {
						for err == nil {
							_, err = w.Write(make([]byte, memnet.Buffer))
						}
						close(gone)
					}
				}))
				c.set(s.HTTPServer())
				conn, err := s.Listener().Dial(q.Context())
				require.NoError(q, err)
				mustWrite(q, conn, c.say)
				if c.name == "response" {
					<-gone // the client does not read
				}
				_, err = io.Copy(io.Discard, conn)
				require.NoError(q, err)
				lingering := 500 * time.Millisecond // net/http's, after an unread body
				require.InDelta(q, c.want, tb.Round(q.Elapsed()), float64(lingering))
				require.NoError(q, conn.Close())
			})
		})
	}
}

// TestServeLeavesNothing closes a server with requests and connections in every
// state; the end of the bubble checks that no goroutine is left.
func TestServeLeavesNothing(t *testing.T) {
	Run(t, func(q *T) {
		s := q.Serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch r.URL.Path {
			case "/wait":
				<-r.Context().Done()
			case "/read":
				_, _ = io.Copy(io.Discard, r.Body)
			case "/write":
				for {
					if _, err := w.Write(make([]byte, memnet.Buffer)); err != nil {
						return
					}
				}
			}
		}))
		require.NoError(q, fetch(q.Context(), s, "/")) // stays idle
		_, err := s.Listener().Dial(q.Context())       // says nothing
		require.NoError(q, err)
		failed := make(chan error, 2)
		up, send := io.Pipe()
		q.Go(func() { failed <- fetch(q.Context(), s, "/wait") })
		q.Go(func() {
			_, err := s.Client().Post(s.URL+"/read", "", up)
			failed <- err
		})
		resp, err := s.Client().Get(s.URL + "/write") // and is not read
		require.NoError(q, err)
		q.Sleep(time.Minute)
		s.Close()
		require.NoError(q, send.Close()) // the transport waits for its reader
		require.Error(q, <-failed)
		require.Error(q, <-failed)
		require.Less(q, q.Elapsed(), time.Minute+lingers)
		_, err = io.Copy(io.Discard, resp.Body)
		require.ErrorIs(q, err, io.ErrUnexpectedEOF)
		require.NoError(q, resp.Body.Close())
		require.Error(q, fetch(q.Context(), s, "/"), "closed")
	})
}

func TestChildServeBlockedHandler(t *testing.T) {
	child(t)
	Run(t, func(q *T) {
		s := q.Serve(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { q.Clock().Sleep(time.Hour) }))
		c := *s.Client()
		c.Timeout = time.Second
		_, err := c.Get(s.URL)
		require.ErrorIs(q, err, context.DeadlineExceeded)
	})
}

// TestServeBlockedHandler fails the test whose handler ignores the end of its
// request, and names it.
func TestServeBlockedHandler(t *testing.T) {
	out, passed := runChild(t, "^TestChildServeBlockedHandler$")
	require.False(t, passed)
	require.Contains(t, out, "1 goroutine is left behind in the bubble of TestChildServeBlockedHandler")
	require.Contains(t, out, "TestChildServeBlockedHandler.func1.1", "the handler is in the stack")
	require.NotContains(t, out, "the body of every response")
}

func TestChildServeOpenBody(t *testing.T) {
	child(t)
	Run(t, func(q *T) {
		s := q.Serve(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("read me")) }))
		resp, err := s.Client().Get(s.URL)
		require.NoError(q, err)
		_ = resp // and not its body
	})
}

// TestServeOpenBody: the goroutines that are left are net/http's, in whose stacks
// no line of the test is.
func TestServeOpenBody(t *testing.T) {
	out, passed := runChild(t, "^TestChildServeOpenBody$")
	require.False(t, passed)
	require.Contains(t, out, "left behind in the bubble of TestChildServeOpenBody")
	require.Contains(t, out, "close the body of every response")
}

// fetch gets path and reads the body.
func fetch(ctx context.Context, s *Server, path string) error {
	req, err := http.NewRequestWithContext(ctx, "GET", s.URL+path, nil)
	if err != nil {
		return err
	}
	resp, err := s.Client().Do(req)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return errors.Join(err, resp.Body.Close())
}
