package fakehttp

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jarcoal/httpmock"
	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/pool"
	"github.com/go-qtests/qtests/qtests/pool/fake"
	"github.com/go-qtests/qtests/qtests/pool/internal/faulttest"
)

// newFeed returns a fake whose one route streams a line a minute for an hour, and the
// number of responders that still write.
func newFeed(q *qtests.T, cfg Config) (h *Fake, writing *atomic.Int64) {
	h, writing = NewT(q, cfg), &atomic.Int64{}
	h.On("GET", "/feed", func(*http.Request) (*http.Response, error) {
		r, w := io.Pipe()
		writing.Add(1)
		go func() {
			defer writing.Add(-1)
			for range 60 {
				q.Clock().Sleep(time.Minute)
				if _, err := io.WriteString(w, "line\n"); err != nil {
					return
				}
			}
			_ = w.Close()
		}()
		return &http.Response{StatusCode: 200, Body: r}, nil
	})
	return h, writing
}

// A read of a body that streams ends when the request does, or an outage begins, and
// not when the responder has more.
func TestStreamEndsWithWhatEndsTheRequest(t *testing.T) {
	cause := errors.New("the user has left")
	for name, c := range map[string]struct {
		ends func(q *qtests.T, h *Fake, client *http.Client) (ctx context.Context)
		want []error
	}{
		"deadline": {func(q *qtests.T, _ *Fake, _ *http.Client) context.Context {
			ctx, cancel := q.Clock().WithTimeout(context.Background(), 65*second)
			q.Cleanup(cancel)
			return ctx
		}, []error{context.DeadlineExceeded}},
		"cancel": {func(q *qtests.T, _ *Fake, _ *http.Client) context.Context {
			ctx, cancel := context.WithCancelCause(context.Background())
			faulttest.At(q, 65*second, func() { cancel(cause) })
			return ctx
		}, []error{cause}},
		"Client.Timeout": {func(_ *qtests.T, _ *Fake, client *http.Client) context.Context {
			client.Timeout = 65 * second
			return context.Background()
		}, []error{context.DeadlineExceeded}},
		"outage": {func(q *qtests.T, h *Fake, _ *http.Client) context.Context {
			faulttest.Schedule(q, h.Outage().At(65*second).For(second))
			return context.Background()
		}, []error{fake.ErrOutage, syscall.ECONNRESET}},
	} {
		t.Run(name, func(t *testing.T) {
			qtests.Run(t, func(q *qtests.T) {
				h, writing := newFeed(q, Config{Max: 1})
				client := h.Client()
				ctx := c.ends(q, h, client)
				_, body, err := get(ctx, client, "http://api/feed")
				require.Equal(q, 65*second, q.Elapsed().Round(time.Millisecond))
				require.Equal(q, "line\n", body)
				for _, want := range c.want {
					require.ErrorIs(q, err, want)
				}
				require.Zero(q, h.Stats().Pool.InUse, "the connection is gone")
				require.Zero(q, h.Stats().Pool.Idle)
				q.Sleep(2 * time.Minute)
				require.Zero(q, writing.Load(), "the responder's body is closed")
			})
		})
	}
}

// A body that is not being read when its request ends is at its end all the same, and
// gives up the connection at once.
func TestBodyDoesNotOutliveItsRequest(t *testing.T) {
	for name, end := range map[string]func(h *Fake, cancel func()) error{
		"cancel": func(_ *Fake, cancel func()) error { cancel(); return context.Canceled },
		"outage": func(h *Fake, _ func()) error { o := h.Outage(); o.Begin(); return fake.ErrOutage },
		"an outage that is over": func(h *Fake, _ func()) error {
			o := h.Outage()
			o.Begin()
			o.End()
			return fake.ErrOutage
		},
	} {
		for _, path := range []string{"/memory", "/feed"} {
			t.Run(name+path, func(t *testing.T) {
				qtests.Run(t, func(q *qtests.T) {
					h, _ := newFeed(q, Config{Max: 1})
					h.On("GET", "/memory", httpmock.NewStringResponder(200, "0123456789"))
					ctx, cancel := context.WithCancel(context.Background())
					defer cancel()
					req, err := http.NewRequestWithContext(ctx, "GET", "http://api"+path, nil)
					require.NoError(q, err)
					resp, err := h.Client().Do(req)
					require.NoError(q, err)
					_, err = io.ReadFull(resp.Body, make([]byte, 4))
					require.NoError(q, err)
					want := end(h, cancel)
					q.Wait()
					require.Zero(q, h.Stats().Pool.Total(), "the connection is given up, though nobody reads")
					n, err := resp.Body.Read(make([]byte, 4))
					require.Zero(q, n)
					require.ErrorIs(q, err, want)
					_, again := resp.Body.Read(make([]byte, 4))
					require.Equal(q, err, again)
					require.NoError(q, resp.Body.Close())
				})
			})
		}
	}
}

// A body without a byte gives its connection back at once, as in net/http.
func TestEmptyBodyNeedsNoClose(t *testing.T) {
	h := NewT(t, Config{Max: 1})
	for path, from := range map[string]http.Response{
		"/string": *httpmock.NewStringResponse(200, ""),
		"/204":    *httpmock.NewStringResponse(204, "ignored"),
		"/304":    {StatusCode: 304, Body: io.NopCloser(strings.NewReader("ignored"))},
		"/nil":    {StatusCode: 200},
		"/none":   {StatusCode: 200, Body: http.NoBody},
		"/closer": {StatusCode: 200, Body: io.NopCloser(strings.NewReader(""))},
		"/hidden": {StatusCode: 200, Body: io.NopCloser(struct{ io.Reader }{strings.NewReader("")}), Header: http.Header{"Content-Length": {"0"}}},
	} {
		h.On("GET", path, func(*http.Request) (*http.Response, error) { r := from; return &r, nil })
		resp, err := h.Client().Get("http://api" + path)
		require.NoError(t, err, path)
		require.Equal(t, http.NoBody, resp.Body, path)
		require.Equal(t, int64(0), resp.ContentLength, path)
		require.Equal(t, 1, h.Stats().Pool.Idle, path)
	}
	h.On("HEAD", "/head", httpmock.NewStringResponder(200, "unread"))
	resp, err := h.Client().Head("http://api/head")
	require.NoError(t, err)
	require.Equal(t, []any{http.NoBody, int64(6), "6"}, []any{resp.Body, resp.ContentLength, resp.Header.Get("Content-Length")})
	require.Equal(t, uint64(1), h.Stats().Pool.Constructed)
}

// A responder that does not answer is given up with the request and by an outage, and
// what it answers later is closed.
func TestResponderThatIsGivenUp(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		h := NewT(q, Config{})
		late := &closeCounter{Reader: strings.NewReader("late")}
		h.On("GET", "/slow", func(*http.Request) (*http.Response, error) {
			q.Clock().Sleep(time.Minute)
			return &http.Response{StatusCode: 200, Body: late}, nil
		})
		faulttest.Schedule(q, h.Outage().At(5*second).For(second))
		_, _, err := get(context.Background(), h.Client(), "http://api/slow")
		require.ErrorIs(q, err, syscall.ECONNRESET)
		require.Equal(q, 5*second, q.Elapsed())
		q.Sleep(2 * time.Minute)
		require.Equal(q, 1, late.closed)
		require.Zero(q, h.Stats().Pool.InUse)
	})
}

func TestFreezeHoldsABody(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		h, _ := newFeed(q, Config{})
		faulttest.Schedule(q, h.Freeze().At(30*second).For(time.Minute))
		resp, err := h.Client().Get("http://api/feed")
		require.NoError(q, err)
		_, err = io.ReadFull(resp.Body, make([]byte, 5))
		require.NoError(q, err)
		require.Equal(q, 90*second, q.Elapsed(), "it was there after a minute")
		require.NoError(q, resp.Body.Close())
		q.Sleep(2 * time.Minute) // until the responder notices
	})
}

// What a responder does in a read is its own: a panic and Goexit are errors of the body.
func TestBodyThatPanics(t *testing.T) {
	h := NewT(t, Config{})
	h.On("GET", "/panic", func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 200, Body: io.NopCloser(readerFunc(func([]byte) (int, error) { panic("oops") }))}, nil
	})
	_, _, err := get(t.Context(), h.Client(), "http://api/panic")
	var p *pool.PanicError
	require.ErrorAs(t, err, &p)
	require.Zero(t, h.Stats().Pool.InUse)
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// What was given up and heeds nothing has the time to end when the test does.
func TestLeftoversEndWithTheTest(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		h := NewT(q, Config{})
		h.On("GET", "/responder", func(*http.Request) (*http.Response, error) {
			q.Sleep(time.Hour)
			return httpmock.NewStringResponse(200, ""), nil
		})
		h.On("GET", "/body", func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 200, Body: io.NopCloser(readerFunc(func([]byte) (int, error) { q.Sleep(time.Hour); return 0, io.EOF }))}, nil
		})
		for _, path := range []string{"/responder", "/body"} {
			ctx, cancel := q.Clock().WithTimeout(context.Background(), 5*second)
			_, _, err := get(ctx, h.Client(), "http://api"+path)
			require.ErrorIs(q, err, context.DeadlineExceeded)
			cancel()
		}
		require.Equal(q, 10*second, q.Elapsed())
	})
}

func TestCloseEndsARead(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		h, _ := newFeed(q, Config{})
		resp, err := h.Client().Get("http://api/feed")
		require.NoError(q, err)
		ended := make(chan error)
		go func() {
			_, err := io.ReadAll(resp.Body)
			ended <- err
		}()
		q.Sleep(second)
		require.NoError(q, resp.Body.Close())
		require.Error(q, <-ended)
		require.Equal(q, second, q.Elapsed())
		_, err = resp.Body.Read(make([]byte, 1))
		require.EqualError(q, err, "http: read on closed response body")
		q.Sleep(2 * time.Minute) // until the responder notices
	})
}

// The deprecated Cancel channel ends a request as well.
func TestCancelChannel(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		h, _ := newFeed(q, Config{})
		req, err := http.NewRequestWithContext(context.Background(), "GET", "http://api/feed", nil)
		require.NoError(q, err)
		canceled := make(chan struct{})
		//lint:ignore SA1019 it is what is tested
		req.Cancel = canceled //nolint:staticcheck // it is what is tested
		faulttest.At(q, second, func() { close(canceled) })
		resp, err := h.RoundTrip(req)
		require.NoError(q, err)
		_, err = io.ReadAll(resp.Body)
		require.EqualError(q, err, "net/http: request canceled")
		require.Equal(q, second, q.Elapsed())
		q.Sleep(2 * time.Minute) // until the responder notices
	})
}
