package fakehttp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"sync"
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
	"github.com/go-qtests/qtests/qtests/tb"
	"github.com/go-qtests/qtests/qtests/tbtest"
)

func get(ctx context.Context, c *http.Client, url string) (status int, body string, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, "", err
	}
	resp, err := c.Do(req)
	if err != nil {
		return 0, "", err
	}
	b, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(b), errors.Join(err, resp.Body.Close())
}

func TestHTTPLimitsConnectionsPerHost(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		pay := NewT(q, Config{Name: "pay", Max: 2, Latency: latency.Fixed(40 * time.Millisecond)})
		pay.On("GET", "/charge", httpmock.NewStringResponder(200, "ok"))
		start := q.Clock().Now()
		var mu sync.Mutex
		ended := map[string][]time.Duration{}
		for range 4 {
			for _, host := range []string{"http://a", "http://b"} {
				q.Clock().AfterFunc(0, func() {
					status, body, err := get(context.Background(), pay.Client(), host+"/charge")
					if status != 200 || body != "ok" || err != nil {
						q.Errorf("%d %s %v", status, body, err)
					}
					mu.Lock()
					defer mu.Unlock()
					ended[host] = append(ended[host], q.Clock().Now().Sub(start))
				})
			}
		}
		q.Sleep(time.Second)
		want := []time.Duration{40 * time.Millisecond, 40 * time.Millisecond, 80 * time.Millisecond, 80 * time.Millisecond}
		require.Equal(q, map[string][]time.Duration{"http://a": want, "http://b": want}, ended)
		require.Equal(q, map[string]uint64{"GET /charge": 8}, pay.Calls())
		require.Equal(q, 2, pay.Stats().Hosts["a"].Idle)
		require.Equal(q, uint64(4), pay.Stats().Hosts["b"].Waited)
	})
}

func TestHTTPOutageOnATimeline(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		pay := NewT(q, Config{Name: "pay", Latency: latency.Fixed(30 * time.Second)})
		pay.On("GET", "/charge", httpmock.NewStringResponder(200, "ok"))
		stop, err := event.Schedule(context.Background(), q.Clock(), q.EventLog(),
			pay.Outage().At(10*time.Minute).For(90*time.Second))
		require.NoError(q, err)
		defer func() { require.NoError(q, stop()) }()
		try := func(at time.Duration) (time.Duration, error) {
			q.Sleep(at - q.Elapsed())
			_, _, err := get(context.Background(), pay.Client(), "http://pay/charge")
			return q.Elapsed(), err
		}
		end, err := try(9 * time.Minute)
		require.NoError(q, err)
		require.Equal(q, 9*time.Minute+30*time.Second, end)

		end, err = try(10*time.Minute - 10*time.Second) // is cut off under way
		require.ErrorIs(q, err, fake.ErrOutage)
		require.ErrorIs(q, err, syscall.ECONNRESET)
		require.Equal(q, 10*time.Minute, end)

		end, err = try(11 * time.Minute) // is refused at once
		require.ErrorIs(q, err, syscall.ECONNREFUSED)
		require.Equal(q, 11*time.Minute, end)

		_, err = try(10*time.Minute + 90*time.Second)
		require.NoError(q, err)
		marks, _ := q.EventLog().Marks()
		var texts []string
		for _, m := range marks {
			if m.Source == "event" {
				texts = append(texts, m.Text)
			}
		}
		require.Equal(q, []string{"pay: outage: begins", "pay: outage: ends"}, texts)
	})
}

func TestUnmatchedRequest(t *testing.T) {
	rec := tbtest.Run("t", func(t *tbtest.TB) {
		pay := NewT(t, Config{Name: "pay"})
		pay.On("POST", "/charge", httpmock.NewStringResponder(200, ""))
		pay.On("GET", `=~^/refund/\d+`, httpmock.NewStringResponder(200, ""))
		for range 2 {
			_, _, err := get(context.Background(), pay.Client(), "https://pay/charge?x=1")
			require.ErrorIs(t, err, fake.ErrUnmatched)
			require.ErrorIs(t, err, httpmock.NoResponderFound)
			var u *UnmatchedRequest
			require.ErrorAs(t, err, &u)
			require.EqualError(t, u, `pay: no responder for GET https://pay/charge?x=1: `+
				`no responder found for method "GET", but one matches method "POST"`+
				"\nnearest routes:\n\tPOST /charge (its method is POST, not GET)\n\tGET =~^/refund/\\d+ (its pattern does not match)")
		}
		require.Equal(t, map[string]uint64{"GET /charge": 2}, pay.Calls())
		require.Equal(t, uint64(2), pay.Stats().Unmatched)
	})
	require.Regexp(t, `^pay: 2 unexpected calls\. Each fails the test, even if the code under test handled its error, unless `+
		`Config\.AllowUnexpected is set:\n\tfakehttp_test\.go:\d+: GET /charge \(2 times\): the nearest route is POST /charge `+
		`\(its method is POST, not GET\)$`, rec.Errors())
	require.Len(t, rec.Logs(), 1, "each path once")
	rec = tbtest.Run("t", func(t *tbtest.TB) {
		_, _, err := get(context.Background(), NewT(t, Config{AllowUnexpected: true}).Client(), "https://pay/charge")
		require.ErrorContains(t, err, "no responder is registered: call On")
	})
	require.Empty(t, rec.Errors())
}

func TestHTTPMockFeaturesStay(t *testing.T) {
	h := NewT(t, Config{AllowUnexpected: true})
	h.On("GET", `=~^/item/(\d+)$`, func(req *http.Request) (*http.Response, error) {
		if req.Context().Err() != nil || req.Context().Done() == nil {
			return nil, errors.New("not the context of the request")
		}
		return httpmock.NewStringResponse(200, httpmock.MustGetSubmatch(req, 1)), nil
	})
	h.On("POST", "http://a/echo", func(req *http.Request) (*http.Response, error) {
		b, err := io.ReadAll(req.Body)
		return httpmock.NewBytesResponse(200, b), err
	})
	h.OnMatch("POST", "http://a/match", httpmock.BodyContainsString("yes"), httpmock.NewStringResponder(201, "matched"))
	h.On("GET", "/twice", httpmock.NewStringResponder(200, "a").Then(httpmock.NewStringResponder(200, "b")))
	status, body, err := get(t.Context(), h.Client(), "http://any/item/42")
	require.NoError(t, err)
	require.Equal(t, []any{200, "42"}, []any{status, body})
	for _, want := range []string{"a", "b", "b"} {
		_, body, err = get(t.Context(), h.Client(), "http://any/twice")
		require.NoError(t, err)
		require.Equal(t, want, body)
	}
	post := func(url, text string) (int, string) {
		resp, err := h.Client().Post(url, "text/plain", strings.NewReader(text))
		require.NoError(t, err)
		b, err := io.ReadAll(resp.Body)
		require.NoError(t, errors.Join(err, resp.Body.Close()))
		return resp.StatusCode, string(b)
	}
	status, body = post("http://a/echo", "hello")
	require.Equal(t, []any{200, "hello"}, []any{status, body})
	status, body = post("http://a/match", "oh yes")
	require.Equal(t, []any{201, "matched"}, []any{status, body})
	_, err = h.Client().Post("http://a/match", "text/plain", strings.NewReader("no"))
	require.ErrorIs(t, err, fake.ErrUnmatched)
	h.On("GET", "/twice", httpmock.NewStringResponder(200, "new"))
	_, body, err = get(t.Context(), h.Client(), "http://any/twice")
	require.NoError(t, err)
	require.Equal(t, "new", body, "a route registered again")
}

// closeCounter is a request body that knows how often it was closed.
type closeCounter struct {
	io.Reader
	closed int
}

func (c *closeCounter) Close() error { c.closed++; return nil }

func TestRequestBodyIsClosed(t *testing.T) {
	h := NewT(t, Config{AllowUnexpected: true})
	h.On("POST", "/a", httpmock.NewStringResponder(204, ""))
	for _, path := range []string{"/a", "/unmatched"} {
		body := &closeCounter{Reader: strings.NewReader("x")}
		req, err := http.NewRequestWithContext(t.Context(), "POST", "http://h"+path, body)
		require.NoError(t, err)
		resp, err := h.RoundTrip(req)
		if path == "/a" {
			require.NoError(t, err)
			require.NoError(t, resp.Body.Close())
		}
		require.Equal(t, 1, body.closed)
	}
	_, err := h.RoundTrip(&http.Request{})
	require.EqualError(t, err, "fakehttp: a request without a URL")
}

// A body that is given up costs its connection, as in net/http; one that has been
// read, to its end or only to its last byte, does not.
func TestConnectionsAreUsedAgain(t *testing.T) {
	h := NewT(t, Config{})
	h.On("GET", "/a", httpmock.NewStringResponder(200, "0123456789"))
	h.On("GET", "/empty", func(*http.Request) (*http.Response, error) { return &http.Response{StatusCode: 204}, nil })
	h.On("HEAD", "/a", httpmock.NewStringResponder(200, "unread"))
	read := func(path string, n int64) pool.Stats {
		resp, err := h.Client().Get("http://h" + path)
		require.NoError(t, err)
		_, err = io.CopyN(io.Discard, resp.Body, n)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		return h.Stats().Pool
	}
	require.Equal(t, 1, read("/a", 10).Idle)
	require.Equal(t, 1, read("/empty", 0).Idle)
	require.Equal(t, uint64(1), read("/a", 10).Constructed)
	require.Equal(t, 0, read("/a", 3).Idle)
	require.Equal(t, uint64(2), read("/a", 10).Constructed)
	resp, err := h.Client().Head("http://h/a")
	require.NoError(t, err)
	require.Equal(t, 1, h.Stats().Pool.Idle, "a HEAD has no body")
	require.NoError(t, resp.Body.Close())
}

func TestHTTPRejectsMeaninglessRoutes(t *testing.T) {
	ok := httpmock.NewStringResponder(200, "")
	for want, f := range map[string]func(*Fake){
		"fakehttp: http: On: GET /a has no responder": func(h *Fake) { h.On("GET", "/a", nil) },
		`fakehttp: http: On("get", "/a"): You probably want to use method "GET" instead of "get"? If not and so want to disable this check, set MockTransport.DontCheckMethod field to true`: func(h *Fake) { h.On("get", "/a", ok) },
		"fakehttp: http: On(\"GET\", \"=~(\"): regexp: Compile(`(`): error parsing regexp: missing closing ): `(`":                                                                           func(h *Fake) { h.On("GET", "=~(", ok) },
		"fakehttp: http GET /a: Errors: 2 is not between 0 and 1":                                                                                                                            func(h *Fake) { h.On("GET", "/a", ok).Errors(2, io.EOF) },
		"fakehttp: http GET /a: Latency: latency: Fixed(-1s): negative":                                                                                                                      func(h *Fake) { h.On("GET", "/a", ok).Latency(latency.Fixed(-second)) },
	} {
		rec := tbtest.Run("t", func(t *tbtest.TB) {
			f(NewT(t, Config{}))
			t.Errorf("went on")
		})
		require.Equal(t, want, rec.Errors())
	}
}

func TestHTTPIsBounded(t *testing.T) {
	h := NewT(t, Config{})
	h.On("GET", `=~.*`, httpmock.NewStringResponder(200, ""))
	var err error
	for i := range maxHosts + 1 {
		if _, _, err = get(context.Background(), h.Client(), fmt.Sprintf("http://h%d/%d", i, i)); i < maxHosts {
			require.NoError(t, err)
		}
	}
	require.ErrorContains(t, err, "connections to more than 1000 hosts")
	require.Len(t, h.Calls(), maxPaths+1)
	require.Equal(t, uint64(1), h.Calls()["other"])
}

func TestHTTPIsRepeatable(t *testing.T) {
	faulttest.Repeats(t, 500, func(seed uint64) (out []string) {
		qtests.Run(t, func(q *qtests.T) {
			pay := NewT(q, Config{
				Max: 3, Latency: latency.Exponential(10 * time.Millisecond), ErrorRate: 0.1,
				ConnectLatency: latency.Uniform(0, 20*time.Millisecond), Stream: tb.NewStream(seed, "http"),
			})
			pay.On("GET", "/charge", httpmock.NewStringResponder(200, "0123456789"))
			faulttest.Schedule(q, pay.Outage().At(500*time.Millisecond).For(100*time.Millisecond),
				pay.ResetBody(5).At(800*time.Millisecond).For(100*time.Millisecond),
				pay.Freeze().At(1000*time.Millisecond).For(200*time.Millisecond),
				pay.Bandwidth(1000).At(1300*time.Millisecond).For(200*time.Millisecond))
			seen := &faulttest.Calls{Q: q}
			for i := range 500 {
				faulttest.At(q, time.Duration(i)*4*time.Millisecond, func() {
					seen.Do(func(ctx context.Context) error {
						ctx, cancel := q.Clock().WithTimeout(ctx, 150*time.Millisecond)
						defer cancel()
						_, _, err := get(ctx, pay.Client(), "http://pay/charge")
						return err
					})
				})
			}
			q.Sleep(time.Minute)
			out = seen.Ended()
		})
		return out
	})
}

func TestHTTPInParallel(t *testing.T) {
	for range 4 {
		t.Run("", func(t *testing.T) {
			t.Parallel()
			h := NewT(t, Config{Max: 3})
			h.On("GET", "/a", httpmock.NewStringResponder(200, t.Name()))
			errs := make(chan error, 50)
			for range cap(errs) {
				go func() {
					_, body, err := get(t.Context(), h.Client(), "http://h/a")
					if err == nil && body != t.Name() {
						err = fmt.Errorf("the answer is another test's: %s", body)
					}
					errs <- err
				}()
			}
			for range cap(errs) {
				require.NoError(t, <-errs)
			}
		})
	}
}

func TestConfigErrors(t *testing.T) {
	bad := errors.New("bad")
	for want, f := range map[string]func(tb.TB){
		"fakehttp: Config.Max: -1 is negative":                                             func(t tb.TB) { NewT(t, Config{Max: -1}) },
		"fakehttp: Config.MaxWaiters: -2 is negative":                                      func(t tb.TB) { NewT(t, Config{MaxWaiters: -2}) },
		"fakehttp: Config.AcquireTimeout: -1ns is negative":                                func(t tb.TB) { NewT(t, Config{AcquireTimeout: -1}) },
		"fakehttp: Config.Latency: latency: Fixed(-1ns): negative":                         func(t tb.TB) { NewT(t, Config{Latency: latency.Fixed(-1)}) },
		"fakehttp: Config.ErrorRate: 1.1 is not between 0 and 1":                           func(t tb.TB) { NewT(t, Config{ErrorRate: 1.1}) },
		"fakehttp: Config.Error: bad needs an ErrorRate":                                   func(t tb.TB) { NewT(t, Config{Error: bad}) },
		"fakehttp: Config.Max: -1 is negative\nfakehttp: Config.Bandwidth: -5 is negative": func(t tb.TB) { NewT(t, Config{Max: -1, Bandwidth: -5}) },
		"fakehttp: Config.MaxIdleTime: -1ns is negative":                                   func(t tb.TB) { NewT(t, Config{MaxIdleTime: -1}) },
		"fakehttp: Config.ConnectLatency: latency: Fixed(-1ns): negative":                  func(t tb.TB) { NewT(t, Config{ConnectLatency: latency.Fixed(-1)}) },
	} {
		rec := tbtest.Run("t", func(t *tbtest.TB) {
			f(t)
			t.Errorf("went on")
		})
		require.Equal(t, want, rec.Errors())
	}
}

func TestResponderThatMisbehaves(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		api := NewT(q, Config{})
		api.On("GET", "/panics", func(*http.Request) (*http.Response, error) { panic("oops") })
		api.On("GET", "/exits", func(*http.Request) (*http.Response, error) { runtime.Goexit(); return nil, nil })
		for path, want := range map[string]string{
			"/panics": "responder: panic: oops",
			"/exits":  "responder: runtime.Goexit called",
		} {
			_, _, err := get(q.Context(), api.Client(), "http://h"+path)
			require.ErrorContains(q, err, want)
			require.Zero(q, api.Stats().Pool.InUse)
		}
	})
}
