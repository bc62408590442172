package fakehttp

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jarcoal/httpmock"
	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/event"
	"github.com/go-qtests/qtests/qtests/latency"
	"github.com/go-qtests/qtests/qtests/pool"
	"github.com/go-qtests/qtests/qtests/pool/fake"
	"github.com/go-qtests/qtests/qtests/pool/internal/faulttest"
	"github.com/go-qtests/qtests/qtests/tbtest"
)

const chargeURL = "https://pay/charge"

// newPay returns a fake whose one route answers a hundred bytes after a second.
func newPay(q *qtests.T, cfg Config) *Fake {
	cfg.Name = "pay"
	if cfg.Latency.IsZero() {
		cfg.Latency = latency.Fixed(second)
	}
	pay := NewT(q, cfg)
	pay.On("GET", "/charge", httpmock.NewStringResponder(200, strings.Repeat("0123456789", 10)))
	return pay
}

func TestHTTPLatencies(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		pay := newPay(q, Config{ConnectLatency: latency.Fixed(3 * second), Bandwidth: 50})
		c := pay.Client()
		var resp *http.Response
		require.Equal(q, 4*second, took(q, func() {
			var err error
			resp, err = c.Get(chargeURL)
			require.NoError(q, err)
		}), "to connect and to the first byte")
		require.Equal(q, 2*second, took(q, func() {
			body, err := io.ReadAll(resp.Body)
			require.NoError(q, err)
			require.Len(q, body, 100)
		}), "100 bytes at 50 a second")
		require.NoError(q, resp.Body.Close())
		require.Equal(q, 3*second, took(q, func() { _, _, err := get(q.Context(), c, chargeURL); require.NoError(q, err) }),
			"the connection is open")

		pay.On("GET", "/slow", httpmock.NewStringResponder(200, "")).Latency(latency.Fixed(time.Minute))
		require.Equal(q, time.Minute, took(q, func() { _, _, err := get(q.Context(), c, "https://pay/slow"); require.NoError(q, err) }))
		require.Equal(q, uint64(1), pay.Stats().Pool.Constructed)
	})
}

func TestHTTPFaultsOnATimeline(t *testing.T) {
	for _, c := range []struct {
		name  string
		event func(*Fake) event.Event // from 10s to 20s
		want  string                  // of a request at 15s, before and after which all is well
		errs  []error
	}{
		{"outage", func(h *Fake) event.Event { return h.Outage() }, "15s 0 0", []error{fake.ErrOutage, syscall.ECONNREFUSED}},
		{"slow", func(h *Fake) event.Event { return h.Slow(2) }, "17s 200 100", nil},
		{"errors", func(h *Fake) event.Event { return h.ErrorRate(1) }, "16s 0 0", []error{fake.ErrInjected}},
		{"freeze", func(h *Fake) event.Event { return h.Freeze() }, "20s 200 100", nil},
		{"flap", func(h *Fake) event.Event { return h.Flap(4*second, 2*second) }, "15s 0 0", []error{fake.ErrOutage}},
		{"status", func(h *Fake) event.Event { return h.Status(503) }, "16s 503 19", nil},
		{"reset", func(h *Fake) event.Event { return h.Reset() }, "16s 0 0", []error{ErrReset, syscall.ECONNRESET}},
		{"reset body at once", func(h *Fake) event.Event { return h.ResetBody(0) }, "16s 200 0", []error{ErrReset, syscall.ECONNRESET}},
		{"reset body", func(h *Fake) event.Event { return h.ResetBody(40) }, "16s 200 40", []error{ErrReset, syscall.ECONNRESET}},
		{"reset beyond", func(h *Fake) event.Event { return h.ResetBody(101) }, "16s 200 100", nil},
		{"stall", func(h *Fake) event.Event { return h.StallBody(40) }, "20s 200 100", nil},
		{"bandwidth", func(h *Fake) event.Event { return h.Bandwidth(25) }, "20s 200 100", nil},
		{"handshake of an open connection", func(h *Fake) event.Event { return h.HandshakeFailure() }, "16s 200 100", nil},
		{"connect of an open connection", func(h *Fake) event.Event { return h.OnConnect().Outage() }, "16s 200 100", nil},
		{"another route", func(h *Fake) event.Event {
			return h.On("GET", "/x", httpmock.NewStringResponder(200, "")).Outage()
		}, "16s 200 100", nil},
		{"one route", func(h *Fake) event.Event {
			return h.On("GET", "/charge", httpmock.NewStringResponder(200, strings.Repeat("y", 100))).Status(429)
		}, "16s 429 17", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			qtests.Run(t, func(q *qtests.T) {
				pay := newPay(q, Config{})
				faulttest.Schedule(q, c.event(pay).At(10*second).For(10*second))
				for i, want := range []string{"6s 200 100", c.want, "26s 200 100"} {
					q.Sleep(time.Duration(5+10*i)*second - q.Elapsed())
					status, body, err := get(q.Context(), pay.Client(), chargeURL)
					require.Equal(q, want, fmt.Sprintf("%v %d %d", q.Elapsed(), status, len(body)))
					if i != 1 || c.errs == nil {
						require.NoError(q, err)
						continue
					}
					for _, target := range c.errs {
						require.ErrorIs(q, err, target)
					}
				}
				marks, _ := q.EventLog().Marks()
				require.Equal(q, "event", marks[0].Source)
				require.True(q, strings.HasSuffix(marks[0].Text, ": begins"))
				require.Equal(q, marks[0].At.Add(10*second), marks[len(marks)-1].At.Round(second))
			})
		})
	}
}

func TestRetryAfter(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		pay := newPay(q, Config{})
		pay.RetryAfter(429, 1500*time.Millisecond).Begin()
		resp, err := pay.Client().Get(chargeURL)
		require.NoError(q, err)
		body, err := io.ReadAll(resp.Body)
		require.NoError(q, err)
		require.Equal(q, []any{429, "2", "Too Many Requests"}, []any{resp.StatusCode, resp.Header.Get("Retry-After"), string(body)})
		require.NoError(q, resp.Body.Close())
		require.Equal(q, 1, pay.Stats().Pool.Idle, "the connection lives on")
	})
}

func TestNewConnectionsFail(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		pay := newPay(q, Config{})
		handshake := pay.HandshakeFailure()
		handshake.Begin()
		_, _, err := get(q.Context(), pay.Client(), chargeURL)
		var alert tls.AlertError
		require.ErrorIs(q, err, ErrHandshake)
		require.ErrorAs(q, err, &alert)
		handshake.End()
		refused := pay.OnConnect().Outage()
		refused.Begin()
		_, _, err = get(q.Context(), pay.Client(), chargeURL)
		require.ErrorIs(q, err, syscall.ECONNREFUSED)
		refused.End()
		_, _, err = get(q.Context(), pay.Client(), chargeURL)
		require.NoError(q, err)
	})
}

func TestRequestEndsWithItsContext(t *testing.T) {
	for name, begin := range map[string]func(*Fake){
		"latency":   func(h *Fake) { h.Slow(1000).Begin() },
		"connect":   func(h *Fake) { h.OnConnect().Latency(latency.Fixed(10 * second)) },
		"stall":     func(h *Fake) { h.StallBody(10).Begin() },
		"bandwidth": func(h *Fake) { h.Bandwidth(1).Begin() },
		"responder": func(h *Fake) {
			h.On("GET", "/charge", func(*http.Request) (*http.Response, error) {
				h.engine.Clock().Sleep(time.Minute) // heeds nothing
				return httpmock.NewStringResponse(200, ""), nil
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			qtests.Run(t, func(q *qtests.T) {
				pay := newPay(q, Config{})
				begin(pay)
				ctx, cancel := q.Clock().WithTimeout(q.Context(), 2500*time.Millisecond)
				defer cancel()
				_, _, err := get(ctx, pay.Client(), chargeURL)
				require.ErrorIs(q, err, context.DeadlineExceeded)
				require.Equal(q, 2500*time.Millisecond, q.Elapsed())
				q.Sleep(2 * time.Minute)
				require.Zero(q, pay.Stats().Pool.InUse)
			})
		})
	}
}

func TestClientTimeout(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		pay := newPay(q, Config{})
		pay.Freeze().Begin()
		c := pay.Client()
		c.Timeout = 3 * second
		_, err := c.Get(chargeURL)
		var timeout interface{ Timeout() bool }
		require.ErrorAs(q, err, &timeout)
		require.True(q, timeout.Timeout())
		require.Equal(q, 3*second, q.Elapsed().Round(time.Microsecond))
		require.Zero(q, pay.Client().Timeout, "each client is a new one")
	})
}

func TestOutageCutsABody(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		pay := newPay(q, Config{Bandwidth: 10})
		faulttest.Schedule(q, pay.Outage().At(4950*time.Millisecond).For(second))
		_, body, err := get(q.Context(), pay.Client(), chargeURL)
		require.ErrorIs(q, err, fake.ErrOutage)
		require.Equal(q, 4950*time.Millisecond, q.Elapsed())
		require.Len(q, body, 39, "what had arrived: the byte under way is lost")
	})
}

// A responder's panic or Goexit is an error of the request, and the connection
// comes back.
func TestResponderThatPanicsOrExits(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		pay := newPay(q, Config{Max: 1})
		mine := errors.New("mine")
		pay.On("GET", "/panic", func(*http.Request) (*http.Response, error) { panic(mine) })
		pay.On("GET", "/goexit", func(*http.Request) (*http.Response, error) { runtime.Goexit(); return nil, nil })
		pay.On("GET", "/nothing", func(*http.Request) (*http.Response, error) { return nil, nil })
		pay.On("GET", "/error", httpmock.NewErrorResponder(mine))
		for range 2 {
			_, _, err := get(q.Context(), pay.Client(), "https://pay/panic")
			var pe *pool.PanicError
			require.ErrorAs(q, err, &pe)
			require.ErrorIs(q, err, mine)
			_, _, err = get(q.Context(), pay.Client(), "https://pay/goexit")
			require.ErrorIs(q, err, pool.ErrGoexit)
			_, _, err = get(q.Context(), pay.Client(), "https://pay/nothing")
			require.ErrorContains(q, err, "pay GET /nothing: the responder returned neither a response nor an error")
			_, _, err = get(q.Context(), pay.Client(), "https://pay/error")
			require.ErrorIs(q, err, mine)
			_, _, err = get(context.Background(), pay.Client(), "https://pay/panic")
			require.ErrorIs(q, err, mine)
		}
		require.Zero(q, pay.Stats().Pool.InUse)
	})
}

// Without a cancellable context the responder runs on the caller's goroutine, and
// a Goexit is the caller's: still nothing is lost.
func TestResponderThatExitsItsCaller(t *testing.T) {
	pay := NewT(t, Config{Max: 1})
	pay.On("GET", "/goexit", func(*http.Request) (*http.Response, error) { runtime.Goexit(); return nil, nil })
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _, _ = get(context.Background(), pay.Client(), "https://pay/goexit")
	}()
	<-done
	require.Zero(t, pay.Stats().Pool.InUse)
}

func TestNobodyClosesTheBody(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		var resp *http.Response
		rec := tbtest.Run("t", func(t *tbtest.TB) {
			h := NewT(t, Config{Stacks: true, Clock: q.Clock()})
			h.On("GET", "/charge", httpmock.NewStringResponder(200, "body"))
			var err error
			resp, err = h.Client().Get(chargeURL)
			require.NoError(t, err)
		})
		require.Contains(q, rec.Errors(), "http: the body of a response not closed: pool http: close:")
		require.Contains(q, rec.Errors(), "fakehttp.TestNobodyClosesTheBody")
		require.NoError(q, resp.Body.Close())
		require.NoError(q, resp.Body.Close(), "twice is once")
	})
}

// A connection on which something went wrong is not used again.
func TestFailedRequestsCostTheirConnection(t *testing.T) {
	h := NewT(t, Config{})
	h.On("GET", "/a", httpmock.NewStringResponder(200, "0123456789"))
	for i, fail := range []event.Event{h.ErrorRate(1), h.Reset(), h.ResetBody(3)} {
		fail.Begin()
		_, _, err := get(t.Context(), h.Client(), "http://h/a")
		require.Error(t, err)
		fail.End()
		_, _, err = get(t.Context(), h.Client(), "http://h/a")
		require.NoError(t, err)
		// The first error, which concerns connecting as well, let none come up.
		require.Equal(t, uint64(i+1), h.Stats().Pool.Constructed)
	}
}

func TestBrownoutConcernsHostsToCome(t *testing.T) {
	h := NewT(t, Config{Max: 7})
	h.On("GET", "/a", httpmock.NewStringResponder(200, ""))
	brownout := h.Brownout(2)
	brownout.Begin()
	_, _, err := get(t.Context(), h.Client(), "http://new/a")
	require.NoError(t, err)
	require.Equal(t, 2, h.Stats().Hosts["new"].Max)
	brownout.End()
	require.Equal(t, 7, h.Stats().Hosts["new"].Max)
}

func TestFaultsRejectMeaninglessParameters(t *testing.T) {
	for want, f := range map[string]func(*Fake){
		"fakehttp: http: Slow: 0 is not a finite number above 0":    func(h *Fake) { h.Slow(0) },
		"fakehttp: http: Slow: +Inf is not a finite number above 0": func(h *Fake) { h.Slow(math.Inf(1)) },
		"fakehttp: http: ErrorRate: 1.5 is not between 0 and 1":     func(h *Fake) { h.ErrorRate(1.5) },
		"fakehttp: http: ErrorRate: NaN is not between 0 and 1":     func(h *Fake) { h.ErrorRate(math.NaN()) },
		"fakehttp: http: ErrorRateOf: <nil> is no error":            func(h *Fake) { h.ErrorRateOf(0.5, nil) },
		"fakehttp: http: Flap: up: 0s is not above 0":               func(h *Fake) { h.Flap(0, time.Second) },
		"fakehttp: http: Flap: down: -1s is not above 0":            func(h *Fake) { h.Flap(time.Second, -time.Second) },
		"fakehttp: http: Brownout: 0 is not above 0":                func(h *Fake) { h.Brownout(0) },
		"fakehttp: http: Status: 42 is not between 100 and 599":     func(h *Fake) { h.Status(42) },
		"fakehttp: http: RetryAfter: -1s is negative":               func(h *Fake) { h.RetryAfter(503, -time.Second) },
		"fakehttp: http: Bandwidth: 0 is not above 0":               func(h *Fake) { h.Bandwidth(0) },
		"fakehttp: http: ResetBody: -1 is negative":                 func(h *Fake) { h.ResetBody(-1) },
		"fakehttp: http: StallBody: -1 is negative":                 func(h *Fake) { h.StallBody(-1) },
	} {
		rec := tbtest.Run("t", func(t *tbtest.TB) {
			f(NewT(t, Config{}))
			t.Errorf("went on")
		})
		require.Equal(t, want, rec.Errors())
	}
}
