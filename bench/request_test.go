package bench

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
	"github.com/jarcoal/httpmock"

	"github.com/go-qtests/qtests/bench/internal/compare"
	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/breaker"
	"github.com/go-qtests/qtests/qtests/latency"
	"github.com/go-qtests/qtests/qtests/pool/fakehttp"
	"github.com/go-qtests/qtests/qtests/pool/fakesql"
)

const (
	queryTakes  = 3 * time.Millisecond
	chargeTakes = 40 * time.Millisecond
)

func requests() compare.Group {
	row := func(name, floor string, limit float64, ours func(q *qtests.T, n int) error, theirs func(n int) error, why string) compare.Comparison {
		return compare.Comparison{
			Name: name,
			Contestants: []compare.Contestant{
				compare.Ours(compare.Timed(func(testing.TB) func(int) error {
					return func(n int) (err error) {
						return firstOf(inRun(func(q *qtests.T) { err = ours(q, n) }), err)
					}
				})),
				compare.Floor(floor, compare.Timed(func(testing.TB) func(int) error {
					return func(n int) (err error) {
						return firstOf(inBubble(func() { err = theirs(n) }), err)
					}
				})),
			},
			Figures: []compare.Figure{compare.TimeOf(compare.Times(limit, floor)), compare.AllocationsOf()},
			Why:     why,
		}
	}
	const byHand = "hand-written fakes"
	return compare.Group{
		Name: "a real request",
		About: `One operation is one request to a handler behind a router of chi: it reads a price by database/sql, which takes 3 ms, charges it at
an upstream behind a circuit breaker, which takes 40 ms, and answers; all in fake time. Ours has ` + "`fakesql`, `fakehttp` and `breaker`" + `. The
floor is the same handler in a plain bubble, with a driver and a RoundTripper that are written by hand for this test, sleep, and
count nothing, and without a breaker. *Serve* asks by net/http over connections in memory, ours by ` + "`q.Serve`" + `, the floor over net.Pipe;
*Direct* calls the handler, ours by ` + "`q.Direct`" + `, the floor with an ` + "`httptest.ResponseRecorder`" + `. The last two rows have a handler that answers at once.`,
		Comparisons: []compare.Comparison{
			row("Serve", byHand, 1.3, func(q *qtests.T, n int) error { return askOverServe(q, ourShop(q), n) },
				func(n int) error { return shopByHand(askOverPipe, n) }, whyRequest),
			row("Direct", byHand, 1.3, func(q *qtests.T, n int) error { return askDirect(q, ourShop(q), n) },
				func(n int) error { return shopByHand(askRecorder, n) }, whyRequest),
			row("Serve, an empty handler", "net/http over net.Pipe", 1, func(q *qtests.T, n int) error { return askOverServe(q, answerOK, n) },
				func(n int) error { return askOverPipe(answerOK, n) }, whyServe),
			row("Direct, an empty handler", "handler with a Recorder", 1.2, func(q *qtests.T, n int) error { return askDirect(q, answerOK, n) },
				func(n int) error { return askRecorder(answerOK, n) }, whyDirect),
		},
	}
}

const whyRequest = "Each fake lends a connection from a pool with statistics, draws its latency, looks at its faults, waits on the tie-free clock " +
	"and counts; the breaker admits and counts the call. `go test -run '^$' -bench RequestParts -cpu 1 .` takes it apart: of what ours takes " +
	"the floor is a half; an eighth goes into a context that ends with the request, as that of a server's request does, for which database/sql " +
	"starts goroutines, a sixth each into `fakesql` and `fakehttp`, and a fifteenth into Direct."

const whyServe = "Ours wraps the connections to end with the bubble, and waits until what runs has come to rest before it closes them."

const whyDirect = "Ours is an http.Client: it has a response with a body of its own, which ends with the context of the request, and takes headers " +
	"and errors as a connection would; a Recorder is written into and read."

// A protection calls the upstream.
type protection func(ctx context.Context, call func(context.Context) error) error

func bare(ctx context.Context, call func(context.Context) error) error { return call(ctx) }

// shop is the handler.
func shop(db *sql.DB, upstream *http.Client, protect protection) http.Handler {
	r := chi.NewRouter()
	r.Use(middleware.Recoverer)
	r.Get("/items/{id}", func(w http.ResponseWriter, r *http.Request) {
		var price int
		err := db.QueryRowContext(r.Context(), selectPrice, 7).Scan(&price)
		if err == nil {
			err = protect(r.Context(), func(ctx context.Context) error { return charge(ctx, upstream) })
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		fmt.Fprintf(w, "%s costs %d", chi.URLParam(r, "id"), price)
	})
	return r
}

func charge(ctx context.Context, upstream *http.Client) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://pay/charge", nil)
	if err != nil {
		return err
	}
	resp, err := upstream.Do(req)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return errors.Join(err, resp.Body.Close())
}

func ourShop(q *qtests.T) http.Handler { return shop(ourDB(q), ourPay(q), ourBreaker(q)) }

func ourDB(q *qtests.T) *sql.DB {
	db := fakesql.NewT(q, fakesql.Config{Max: 20, Latency: latency.Fixed(queryTakes)})
	db.On(selectPrice).WithArgs(7).Rows(priceRows())
	return db.DB()
}

func ourPay(q *qtests.T) *http.Client {
	pay := fakehttp.NewT(q, fakehttp.Config{Max: 20, Latency: latency.Fixed(chargeTakes)})
	pay.On("POST", "/charge", httpmock.NewStringResponder(200, "ok"))
	return pay.Client()
}

func ourBreaker(q *qtests.T) protection {
	br := breaker.NewT(q, breaker.Config{Name: "pay"})
	return func(ctx context.Context, f func(context.Context) error) error {
		_, err := breaker.Call(ctx, br, func(ctx context.Context) (struct{}, error) { return struct{}{}, f(ctx) })
		return err
	}
}

func shopByHand(ask func(http.Handler, int) error, n int) error {
	db := sql.OpenDB(slowDriver{})
	err := ask(shop(db, slowPay(nil), bare), n)
	return errors.Join(err, db.Close())
}

type slowDriver struct{ emptyDriver }

func (slowDriver) Connect(context.Context) (driver.Conn, error) { return slowConn{}, nil }

type slowConn struct{ emptyConn }

func (slowConn) QueryContext(context.Context, string, []driver.NamedValue) (driver.Rows, error) {
	time.Sleep(queryTakes)
	return &emptyRows{}, nil
}

type chargeTransport struct{}

func (chargeTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	time.Sleep(chargeTakes)
	return &http.Response{StatusCode: http.StatusOK, Request: r, Body: io.NopCloser(strings.NewReader("ok"))}, nil
}

func askOverServe(q *qtests.T, h http.Handler, n int) error {
	server := q.Serve(h)
	return askClient(server.Client(), server.URL, n)
}

func askDirect(q *qtests.T, h http.Handler, n int) error {
	return askClient(q.Direct(h), "http://host", n)
}

func askClient(client *http.Client, url string, n int) error {
	for range n {
		resp, err := client.Get(url + "/items/7")
		if err != nil {
			return err
		}
		body, err := io.ReadAll(resp.Body)
		if err := errors.Join(err, resp.Body.Close(), checkAnswer(resp.StatusCode, string(body))); err != nil {
			return err
		}
	}
	return nil
}

func checkAnswer(code int, body string) error {
	if code != http.StatusOK || body != "7 costs 42" && body != "ok" {
		return fmt.Errorf("the answer is %d %q", code, body)
	}
	return nil
}

func askRecorder(h http.Handler, n int) error {
	for range n {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/items/7", nil))
		if err := checkAnswer(w.Code, w.Body.String()); err != nil {
			return err
		}
	}
	return nil
}

// askOverPipe is the way without a library: a server of net/http on connections of net.Pipe.
func askOverPipe(h http.Handler, n int) error {
	l := &pipes{accept: make(chan net.Conn), closed: make(chan struct{})}
	server := &http.Server{Handler: h}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }()
	transport := &http.Transport{DialContext: l.dial}
	err := askClient(&http.Client{Transport: transport}, "http://host", n)
	transport.CloseIdleConnections()
	err = firstOf(err, server.Close())
	if e := <-ended; !errors.Is(e, http.ErrServerClosed) {
		err = firstOf(err, e)
	}
	return err
}

type pipes struct {
	accept chan net.Conn
	closed chan struct{}
}

func (p *pipes) dial(context.Context, string, string) (net.Conn, error) {
	mine, theirs := net.Pipe()
	p.accept <- theirs
	return mine, nil
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.accept:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { close(p.closed); return nil }
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }
