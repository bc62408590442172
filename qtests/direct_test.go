package qtests

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/internal/direct"
	"github.com/go-qtests/qtests/qtests/internal/memnet"
	"github.com/go-qtests/qtests/qtests/internal/serverlog"
)

func TestDirectStreams(t *testing.T) {
	Run(t, func(q *T) {
		c := q.Direct(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			buf := make([]byte, 100)
			w.(http.Flusher).Flush()
			for { // an echo, line by line
				n, err := r.Body.Read(buf)
				_, _ = w.Write(buf[:n])
				w.(http.Flusher).Flush()
				if err != nil {
					return
				}
			}
		}))
		up, send := io.Pipe()
		resp, err := c.Post("http://x/", "text/plain", up)
		require.NoError(q, err)
		require.Nil(q, resp.Trailer, "none was declared")
		for i := range 5 {
			q.Sleep(time.Second)
			line := fmt.Sprintf("line %d\n", i)
			_, err = io.WriteString(send, line)
			require.NoError(q, err)
			got := make([]byte, len(line))
			_, err = io.ReadFull(resp.Body, got)
			require.NoError(q, err)
			require.Equal(q, line, string(got))
		}
		require.NoError(q, send.Close())
		rest, err := io.ReadAll(resp.Body)
		require.NoError(q, err)
		require.Empty(q, rest)
		require.NoError(q, resp.Body.Close())
		require.Equal(q, 5*time.Second, q.Elapsed())
	})
}

// TestDirectHoldsBack shows nothing to the client that a server would keep.
func TestDirectHoldsBack(t *testing.T) {
	for _, size := range []int{1, direct.Length + 1, direct.Hold} {
		Run(t, func(q *T) {
			c := q.Direct(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				_, _ = w.Write(make([]byte, size))
				q.Clock().Sleep(time.Minute) // without a Flush
			}))
			resp, err := c.Get("http://x/")
			require.NoError(q, err)
			require.NoError(q, resp.Body.Close())
			require.Equal(q, time.Minute, q.Elapsed())
		})
	}
}

func TestDirectBackpressure(t *testing.T) {
	Run(t, func(q *T) {
		wrote := 0
		c := q.Direct(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			for range 1000 {
				n, _ := w.Write(make([]byte, 1000))
				wrote += n
			}
		}))
		resp, err := c.Get("http://x/")
		require.NoError(q, err)
		q.Wait()
		require.Less(q, wrote, memnet.Buffer+2*direct.Hold, "the handler waits for the client")
		n, err := io.Copy(io.Discard, resp.Body)
		require.NoError(q, err)
		require.EqualValues(q, 1_000_000, n)
		require.NoError(q, resp.Body.Close())
	})
}

// TestDirectClientLeaves ends requests from the client's side, in every state.
func TestDirectClientLeaves(t *testing.T) {
	for _, c := range []struct {
		name  string
		flush bool
		leave func(q *T, c *http.Client) error
		want  string
	}{
		{"timeout awaiting headers", false, func(_ *T, c *http.Client) error {
			c.Timeout = time.Second
			_, err := c.Get("http://x/")
			return err
		}, `Get "http://x/": context deadline exceeded (Client.Timeout exceeded while awaiting headers)`},
		{"timeout in the body", true, func(_ *T, c *http.Client) error {
			c.Timeout = time.Second
			resp, err := c.Get("http://x/")
			if err == nil {
				_, err = io.ReadAll(resp.Body)
				err = errors.Join(err, resp.Body.Close())
			}
			return err
		}, "context deadline exceeded (Client.Timeout or context cancellation while reading body)"},
		{"deadline of the context", false, func(q *T, c *http.Client) error {
			ctx, cancel := q.Clock().WithTimeout(q.Context(), time.Second)
			defer cancel()
			return getBody(ctx, c)
		}, `Get "http://x/": context deadline exceeded`},
		{"canceled in the body", true, func(q *T, c *http.Client) error {
			ctx, cancel := context.WithCancel(q.Context())
			q.Clock().AfterFunc(time.Second, cancel)
			return getBody(ctx, c)
		}, "context canceled"},
		{"with a cause", false, func(q *T, c *http.Client) error {
			ctx, cancel := context.WithCancelCause(q.Context())
			q.Clock().AfterFunc(time.Second, func() { cancel(errors.New("bored")) })
			return getBody(ctx, c)
		}, `Get "http://x/": bored`},
		{"closes the body", true, func(q *T, c *http.Client) error {
			resp, err := c.Get("http://x/")
			if err == nil {
				q.Sleep(time.Second)
				err = resp.Body.Close()
			}
			return err
		}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			Run(t, func(q *T) {
				var handlerSaw, writeSaw error
				err := c.leave(q, q.Direct(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if c.flush {
						w.(http.Flusher).Flush()
					}
					<-r.Context().Done()
					handlerSaw = r.Context().Err()
					writeSaw = http.NewResponseController(w).Flush()
					if writeSaw == nil {
						_, writeSaw = w.Write(make([]byte, 2*direct.Hold))
					}
				})))
				if c.want == "" {
					require.NoError(q, err)
				} else {
					require.EqualError(q, err, c.want)
				}
				require.Equal(q, time.Second, q.Elapsed())
				q.Wait()
				require.ErrorIs(q, handlerSaw, context.Canceled)
				require.ErrorIs(q, writeSaw, syscall.EPIPE)
			})
		})
	}
}

func getBody(ctx context.Context, c *http.Client) error {
	req, err := http.NewRequestWithContext(ctx, "GET", "http://x/", nil)
	if err != nil {
		return err
	}
	resp, err := c.Do(req)
	if err != nil {
		return err
	}
	_, err = io.ReadAll(resp.Body)
	return errors.Join(err, resp.Body.Close())
}

// TestDirectClientLeavesDuringItsBody has a handler wait for a body that never
// comes.
func TestDirectClientLeavesDuringItsBody(t *testing.T) {
	Run(t, func(q *T) {
		var saw error
		c := q.Direct(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _, saw = io.ReadAll(r.Body) }))
		c.Timeout = time.Second
		up, send := io.Pipe()
		_, err := c.Post("http://x/", "text/plain", up)
		require.ErrorIs(q, err, context.DeadlineExceeded)
		q.Wait()
		require.ErrorIs(q, saw, io.ErrUnexpectedEOF)
		_, err = send.Write([]byte("too late"))
		require.ErrorIs(q, err, io.ErrClosedPipe, "the client's body was closed")
		require.Equal(q, time.Second, q.Elapsed())
	})
}

// TestDirectCanceledBefore sends nothing, and closes the body all the same.
func TestDirectCanceledBefore(t *testing.T) {
	Run(t, func(q *T) {
		c := q.Direct(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { q.Errorf("called") }))
		ctx, cancel := context.WithCancel(q.Context())
		cancel()
		up, send := io.Pipe()
		req, err := http.NewRequestWithContext(ctx, "POST", "http://x/", up)
		require.NoError(q, err)
		_, err = c.Do(req)
		require.ErrorIs(q, err, context.Canceled)
		_, err = send.Write([]byte("x"))
		require.ErrorIs(q, err, io.ErrClosedPipe)
	})
}

// TestDirectReadAfterCancel fails as the wire does where a helper cancels the
// context of the body that it returns, even though the body is all there.
func TestDirectReadAfterCancel(t *testing.T) {
	Run(t, func(q *T) {
		c := q.Direct(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") }))
		ctx, cancel := context.WithCancel(q.Context())
		req, err := http.NewRequestWithContext(ctx, "GET", "http://x/", nil)
		require.NoError(q, err)
		resp, err := c.Do(req)
		require.NoError(q, err)
		cancel()
		_, err = io.ReadAll(resp.Body)
		require.ErrorIs(q, err, context.Canceled)
		require.NoError(q, resp.Body.Close())
	})
}

// TestDirectContextIsTheHandlersOwn carries no value across, and ends with the
// handler.
func TestDirectContextIsTheHandlersOwn(t *testing.T) {
	Run(t, func(q *T) {
		type key struct{}
		var inner context.Context
		var late http.ResponseWriter
		var body io.Reader
		c := q.Direct(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			inner, late, body = r.Context(), w, r.Body
			if r.Context().Value(key{}) != nil {
				q.Errorf("a value crossed the wire")
			}
		}))
		ctx := context.WithValue(q.Context(), key{}, "secret")
		req, err := http.NewRequestWithContext(ctx, "POST", "http://x/", strings.NewReader("never read"))
		require.NoError(q, err)
		resp, err := c.Do(req)
		require.NoError(q, err)
		require.NoError(q, resp.Body.Close())
		q.Wait()
		require.ErrorIs(q, inner.Err(), context.Canceled)
		_, err = late.Write([]byte("late"))
		require.ErrorIs(q, err, direct.ErrHandlerReturned)
		require.ErrorIs(q, http.NewResponseController(late).Flush(), direct.ErrHandlerReturned)
		_, err = body.Read(make([]byte, 1))
		require.ErrorIs(q, err, http.ErrBodyReadAfterClose)
	})
}

// TestDirectLogs is what a person reads when a handler misbehaves.
func TestDirectLogs(t *testing.T) {
	Run(t, func(q *T) {
		AllowPanics(q)
		log := &logTB{T: q}
		var handler http.HandlerFunc
		c := &http.Client{Transport: direct.NewTransport(q.Clock(),
			http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler(w, r) }), serverlog.New(log, nil))}
		handler = func(http.ResponseWriter, *http.Request) { panic("boom") }
		_, err := c.Get("http://x/")
		require.ErrorIs(q, err, io.EOF)
		q.Wait()
		require.Contains(q, strings.Join(log.lines, ""), "http: panic serving 192.0.2.1:1234: boom\n")
		require.Contains(q, strings.Join(log.lines, ""), "direct_test.go:", "with the stack")

		log.lines = nil
		handler = func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
		_, err = c.Get("http://x/")
		require.ErrorIs(q, err, io.EOF)
		q.Wait()
		require.Empty(q, log.lines)

		handler = func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(200); w.WriteHeader(500) }
		resp, err := c.Get("http://x/")
		require.NoError(q, err)
		require.NoError(q, resp.Body.Close())
		require.Len(q, log.lines, 1)
		require.Regexp(q, `^http: superfluous response.WriteHeader call from \S+TestDirectLogs\S* \(direct_test.go:\d+\)$`, log.lines[0])

		up := io.MultiReader(strings.NewReader("x"), panicReader{})
		handler = func(_ http.ResponseWriter, r *http.Request) {
			_, err := io.ReadAll(r.Body)
			if !errors.Is(err, io.ErrUnexpectedEOF) {
				q.Errorf("%v", err)
			}
		}
		_, err = c.Post("http://x/", "", up)
		require.ErrorContains(q, err, "qtests: panic in the body of a request: disk on fire")
	})
}

type logTB struct {
	*T
	lines []string
}

func (l *logTB) Logf(format string, args ...any) {
	l.lines = append(l.lines, fmt.Sprintf(format, args...))
}

type panicReader struct{}

func (panicReader) Read([]byte) (int, error) { panic("disk on fire") }

func TestDirectHasNoConnection(t *testing.T) {
	Run(t, func(q *T) {
		c := q.Direct(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _, err := http.NewResponseController(w).Hijack()
			require.ErrorIs(q, err, http.ErrNotSupported)
			require.ErrorContains(q, err, "use q.Serve")
			require.ErrorIs(q, http.NewResponseController(w).SetReadDeadline(time.Time{}), http.ErrNotSupported)
			require.NoError(q, http.NewResponseController(w).EnableFullDuplex())
		}))
		require.NoError(q, getBody(q.Context(), c))
	})
}

// TestDirectRefuses has what a handler may not write.
func TestDirectRefuses(t *testing.T) {
	Run(t, func(q *T) {
		c := q.Direct(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			for code, want := range map[int]any{99: "invalid WriteHeader code 99", 100: nil, 199: nil, 1000: "invalid WriteHeader code 1000"} {
				if want == nil {
					require.NotPanics(q, func() { w.WriteHeader(code) })
				} else {
					require.PanicsWithValue(q, want, func() { w.WriteHeader(code) })
				}
			}
			w.Header().Set("Content-Length", "0")
			w.WriteHeader(999)
			_, err := w.Write(nil)
			require.NoError(q, err)
			_, err = w.Write([]byte("x"))
			require.ErrorIs(q, err, http.ErrContentLength)
		}))
		resp, err := c.Get("http://x/")
		require.NoError(q, err)
		require.NoError(q, resp.Body.Close())
		require.Equal(q, "999 status code 999", resp.Status)
		require.Zero(q, resp.ContentLength)
	})
}

// TestDirectManyAtOnce runs a thousand requests of one client at the same time.
func TestDirectManyAtOnce(t *testing.T) {
	Run(t, func(q *T) {
		c := q.Direct(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			q.Clock().Sleep(time.Second)
			_, _ = io.WriteString(w, r.URL.Query().Get("i"))
		}))
		results := make(chan string)
		for i := range 1000 {
			q.Go(func() {
				resp, err := c.Get("http://x/?i=" + url.QueryEscape(fmt.Sprint(i)))
				if err != nil {
					results <- err.Error()
					return
				}
				body, err := io.ReadAll(resp.Body)
				results <- string(body) + fmt.Sprint(errors.Join(err, resp.Body.Close()))
			})
		}
		got := make([]string, 1000)
		want := make([]string, 1000)
		for i := range got {
			got[i], want[i] = <-results, fmt.Sprintf("%d<nil>", i)
		}
		slices.Sort(got)
		slices.Sort(want)
		require.Equal(q, want, got)
		require.Equal(q, time.Second, q.Elapsed())
	})
}
