package bench

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/DATA-DOG/go-sqlmock"
	"github.com/jarcoal/httpmock"
	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/bench/internal/compare"
	"github.com/go-qtests/qtests/qtests/pool/fakehttp"
	"github.com/go-qtests/qtests/qtests/pool/fakesql"
)

func fakes() compare.Group {
	return compare.Group{
		Name: "fakes",
		About: `One SQL operation is one query of one row, through database/sql; the floor is a driver that answers and does nothing else.
go-sqlmock wants an expectation, with its rows, for every query; ours has one for all, behind a pool with statistics.
One HTTP operation is one request whose answer of two bytes is read and closed, under a context that cannot end and under
one that can; ` + "`httptest.Server`" + ` answers over loopback.`,
		Comparisons: []compare.Comparison{
			{
				Name: "SQL query",
				Contestants: []compare.Contestant{
					compare.Ours(compare.Timed(queryOurs)),
					compare.Peer("go-sqlmock", compare.Measured(querySqlmock)),
					compare.Floor("empty driver", compare.Timed(queryEmpty)),
				},
				Figures: []compare.Figure{compare.TimeOf(compare.Times(1, "go-sqlmock")), compare.AllocationsOf()},
				Why: "Ours looks the query up in a table and makes its rows from those of the stub, on a connection that it lends and " +
					"counts; what the floor takes is database/sql itself.",
			},
			roundTrip("HTTP round trip, background", func(testing.TB) context.Context { return context.Background() }),
			roundTrip("HTTP round trip, cancellable", cancellable),
		},
	}
}

const selectPrice = "SELECT price FROM items WHERE id = ?"

func priceRows() *sqlmock.Rows { return sqlmock.NewRows(priceColumn).AddRow(int64(42)) }

func queryPrice(db *sql.DB) error {
	var price int
	if err := db.QueryRow(selectPrice, 7).Scan(&price); err != nil {
		return err
	}
	if price != 42 {
		return fmt.Errorf("the price is %d", price)
	}
	return nil
}

func queryTimes(db *sql.DB) func(n int) error {
	return func(n int) error {
		for range n {
			if err := queryPrice(db); err != nil {
				return err
			}
		}
		return nil
	}
}

func queryOurs(t testing.TB) func(n int) error {
	db := fakesql.NewT(t, fakesql.Config{})
	db.On(selectPrice).WithArgs(7).Rows(priceRows())
	return queryTimes(db.DB())
}

func queryEmpty(t testing.TB) func(n int) error {
	db := sql.OpenDB(emptyDriver{})
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return queryTimes(db)
}

// querySqlmock queries a bare go-sqlmock. It walks over all the expectations that
// have been met: a new instance every 50 queries, which is not measured, keeps that
// out of the picture.
func querySqlmock(testing.TB) func(compare.Size) (compare.Readings, error) {
	const perMock = 50
	return func(size compare.Size) (compare.Readings, error) {
		return measureParts(size.Pick(1, 200), perMock, func() (part, error) {
			db, mock, err := sqlmock.New(sqlmock.QueryMatcherOption(sqlmock.QueryMatcherEqual))
			return part{
				work: func() error {
					for range perMock {
						mock.ExpectQuery(selectPrice).WithArgs(7).WillReturnRows(priceRows())
						if err := queryPrice(db); err != nil {
							return err
						}
					}
					return mock.ExpectationsWereMet()
				},
				end: func() error {
					mock.ExpectClose()
					return db.Close()
				},
			}, err
		})
	}
}

// A part of a measurement is work between a beginning and an end that are not
// measured.
type part struct{ work, end func() error }

// measureParts measures the work of some parts. Each does so many operations.
func measureParts(parts, operations int, begin func() (part, error)) (compare.Readings, error) {
	meter := compare.StartMeter()
	meter.Pause()
	for range parts {
		p, err := begin()
		if err != nil {
			return nil, err
		}
		meter.Resume()
		err = p.work()
		meter.Pause()
		if err := errors.Join(err, p.end()); err != nil {
			return nil, err
		}
	}
	return meter.Readings(parts * operations), nil
}

// roundTrip compares HTTP fakes.
func roundTrip(name string, ctx func(testing.TB) context.Context) compare.Comparison {
	responder := httpmock.NewStringResponder(200, "ok")
	ask := func(open func(t testing.TB) (rt http.RoundTripper, url string)) compare.Work {
		return compare.Timed(func(t testing.TB) func(n int) error {
			rt, url := open(t)
			req, err := http.NewRequestWithContext(ctx(t), http.MethodGet, url+"/a", nil)
			if err != nil {
				t.Fatal(err)
			}
			return func(n int) error {
				for range n {
					if err := exchange(rt, req); err != nil {
						return err
					}
				}
				return nil
			}
		})
	}
	return compare.Comparison{
		Name: name,
		Contestants: []compare.Contestant{
			compare.Ours(ask(func(t testing.TB) (http.RoundTripper, string) {
				h := fakehttp.NewT(t, fakehttp.Config{})
				h.On("GET", "/a", responder)
				return h, "http://host"
			})),
			compare.Peer("httpmock", ask(func(testing.TB) (http.RoundTripper, string) {
				bare := httpmock.NewMockTransport()
				bare.RegisterResponder("GET", "/a", responder)
				return bare, "http://host"
			})),
			compare.Peer("httptest.Server", ask(func(t testing.TB) (http.RoundTripper, string) {
				srv := httptest.NewServer(answerOK)
				transport := &http.Transport{}
				t.Cleanup(func() {
					transport.CloseIdleConnections()
					srv.Close()
				})
				return transport, srv.URL
			})),
		},
		Figures: []compare.Figure{
			compare.TimeOf(compare.Times(2, "httpmock")), compare.AllocationsOf(compare.Times(2, "httpmock")),
		},
		Why: "A bare httpmock looks up a responder and calls it. Ours looks it up once, and calls it, makes the header that a transport would, takes a connection from the pool of the " +
			"host before it and gives it back after it, counts both, and binds the body to the context.",
	}
}

var answerOK = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
	_, _ = io.WriteString(w, "ok") // a client that has gone is found out by its own side
})

// exchange sends a request and reads the answer.
func exchange(rt http.RoundTripper, req *http.Request) error {
	resp, err := rt.RoundTrip(req)
	if err != nil {
		return err
	}
	n, err := io.Copy(io.Discard, resp.Body)
	if err := errors.Join(err, resp.Body.Close()); err != nil {
		return err
	}
	if n != 2 || resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s and %d bytes", resp.Status, n)
	}
	return nil
}

// TestMeasureParts counts allocations, because time is not to be judged.
func TestMeasureParts(t *testing.T) {
	allocate := func(n int) error {
		for range n {
			kept = new([64]byte)
		}
		return nil
	}
	got, err := measureParts(10, 50, func() (part, error) {
		return part{work: func() error { return allocate(100) }, end: func() error { return allocate(5000) }}, allocate(5000)
	})
	require.NoError(t, err)
	require.InDelta(t, 2, got[compare.Allocations], 0.5, "what one of 50 operations allocates")
}

var kept *[64]byte

// TestSQLMemoryIsFlat runs a million queries and looks at what is left of them.
func TestSQLMemoryIsFlat(t *testing.T) {
	if testing.Short() {
		t.Skip("a million queries")
	}
	db := fakesql.NewT(t, fakesql.Config{})
	db.On(selectPrice).Rows(priceRows())
	query := queryTimes(db.DB())
	if err := query(10_000); err != nil {
		t.Fatal(err)
	}
	before := liveHeap()
	if err := query(1_000_000); err != nil {
		t.Fatal(err)
	}
	grown := liveHeap() - before
	if grown > 64<<10 {
		t.Errorf("the heap grew by %d bytes over a million queries", grown)
	}
	t.Logf("real: the heap grew by %d bytes over a million queries", grown)
}
