package recorded

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jarcoal/httpmock"

	"github.com/go-qtests/qtests/internal/plaintext"
	"github.com/go-qtests/qtests/qtests/load/accesslog"
	"github.com/go-qtests/qtests/qtests/pool/fakehttp"
)

const (
	// MaxSize is how many bytes a file may have: 64 MiB.
	MaxSize = 64 << 20
	// MaxExchanges is how many exchanges a file may have.
	MaxExchanges = 100_000
)

// Epoch is when the first exchange of a cassette begins, because a cassette has no instants.
var Epoch = time.Date(2000, time.January, 1, 0, 0, 0, 0, time.UTC)

// A Recording is what a file has, in the order of the file. It is safe for concurrent use as long as
// it is not changed.
type Recording struct {
	Exchanges []Exchange
}

// An Exchange is a request and its answer.
type Exchange struct {
	At     time.Time     // when the request came
	Took   time.Duration // until its answer was there; 0 where it is not known
	Method string
	URL    string // as recorded, mostly absolute
	Body   string // of the request

	Status       int // from 100 to 999
	Header       http.Header
	ResponseBody string
}

// Read reads a file. The name is for errors alone.
func Read(name string, r io.Reader) (*Recording, error) {
	all, err := exchangesOf(r)
	if err != nil {
		return nil, fmt.Errorf("recorded: %s: %w", name, err)
	}
	return &Recording{Exchanges: all}, nil
}

func exchangesOf(r io.Reader) ([]Exchange, error) {
	text, err := readText(r)
	if err != nil {
		return nil, err
	}
	read := readCassette
	if strings.HasPrefix(strings.TrimSpace(string(text[:min(len(text), 4096)])), "{") {
		read = readHAR
	}
	all, err := read(text)
	if err == nil {
		err = check(all)
	}
	return all, err
}

// readText reads at most MaxSize bytes.
func readText(r io.Reader) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(plaintext.NewReader(r), MaxSize+1))
	if err == nil && len(text) > MaxSize {
		err = fmt.Errorf("more than %d bytes", MaxSize)
	}
	return text, err
}

// check sets defaults, and reports what has no meaning.
func check(all []Exchange) error {
	if len(all) == 0 {
		return errors.New("it has no exchanges")
	}
	if len(all) > MaxExchanges {
		return fmt.Errorf("%d exchanges, more than %d", len(all), MaxExchanges)
	}
	for i := range all {
		all[i].setDefaults()
		if err := all[i].check(); err != nil {
			return fmt.Errorf("exchange %d: %w", i+1, err)
		}
	}
	return nil
}

func (x *Exchange) setDefaults() {
	if x.Method == "" {
		x.Method = http.MethodGet
	}
	for _, name := range []string{"Content-Length", "Content-Encoding", "Transfer-Encoding"} {
		x.Header.Del(name)
	}
}

func (x *Exchange) check() error {
	switch u, err := url.Parse(x.URL); {
	case err != nil:
		return err
	case u.Host == "" && !strings.HasPrefix(u.Path, "/"):
		return fmt.Errorf("URL %q has neither a host nor a path", x.URL)
	case x.Status < 100 || x.Status > 999:
		return fmt.Errorf("status %d is not from 100 to 999", x.Status)
	case x.Took < 0:
		return fmt.Errorf("duration %v is negative", x.Took)
	}
	return nil
}

// Entries are the requests as those of an access log, for traffic.Replay.
func (r *Recording) Entries() []accesslog.Entry {
	all := make([]accesslog.Entry, len(r.Exchanges))
	for i, x := range r.Exchanges {
		all[i] = accesslog.Entry{At: x.At, Method: x.Method, Path: x.path(), Status: x.Status, Bytes: int64(len(x.ResponseBody))}
	}
	return all
}

// path is the path and the query of the URL.
func (x *Exchange) path() string {
	u, err := url.Parse(x.URL)
	if err != nil {
		return x.URL
	}
	return u.RequestURI()
}

// Stub registers the answers with a fake, and returns the stubs in the order in which their first
// exchange is in the file. They are as all stubs: latencies and outages are the fake's.
func (r *Recording) Stub(h *fakehttp.Fake) (stubs []*fakehttp.Stub) {
	order, answers := r.routes()
	for _, to := range order {
		stubs = append(stubs, h.On(to.method, to.url, inOrder(answers[to])))
	}
	return stubs
}

// A route is what a stub answers.
type route struct{ method, url string }

// routes has the routes in the order of their first exchanges, and the exchanges of each.
func (r *Recording) routes() (order []route, answers map[route][]Exchange) {
	answers = map[route][]Exchange{}
	for _, x := range r.Exchanges {
		to := route{x.Method, x.URL}
		if answers[to] == nil {
			order = append(order, to)
		}
		answers[to] = append(answers[to], x)
	}
	return order, answers
}

// inOrder answers with one after the other, and then with the last.
func inOrder(all []Exchange) httpmock.Responder {
	var calls atomic.Int64
	return func(req *http.Request) (*http.Response, error) {
		x := all[min(int(calls.Add(1)), len(all))-1]
		return x.response(req), nil
	}
}

// response is the answer to a request.
func (x *Exchange) response(req *http.Request) *http.Response {
	resp := httpmock.NewStringResponse(x.Status, x.ResponseBody)
	if resp.Header = x.Header.Clone(); resp.Header == nil {
		resp.Header = http.Header{}
	}
	resp.Request = req
	return resp
}
