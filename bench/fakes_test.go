package bench

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"net/http"
	"runtime"
	"testing"

	"github.com/DATA-DOG/go-sqlmock"
	"github.com/jarcoal/httpmock"

	"github.com/go-qtests/qtests/qtests/pool"
)

const selectPrice = "SELECT price FROM items WHERE id = ?"

// emptyDriver answers every query with one row and does nothing else: what is
// left is database/sql itself.
type emptyDriver struct{}

func (emptyDriver) Connect(context.Context) (driver.Conn, error) { return emptyConn{}, nil }
func (emptyDriver) Driver() driver.Driver                        { return nil }

type emptyConn struct{}

func (emptyConn) Prepare(string) (driver.Stmt, error) { return nil, errors.ErrUnsupported }
func (emptyConn) Begin() (driver.Tx, error)           { return nil, errors.ErrUnsupported }
func (emptyConn) Close() error                        { return nil }
func (emptyConn) QueryContext(context.Context, string, []driver.NamedValue) (driver.Rows, error) {
	return &emptyRows{}, nil
}

type emptyRows struct{ read bool }

var priceColumn = []string{"price"}

func (*emptyRows) Columns() []string { return priceColumn }
func (*emptyRows) Close() error      { return nil }
func (r *emptyRows) Next(dest []driver.Value) error {
	if r.read {
		return io.EOF
	}
	r.read = true
	dest[0] = int64(42)
	return nil
}

func priceRows() *sqlmock.Rows { return sqlmock.NewRows(priceColumn).AddRow(int64(42)) }

func queryPrice(tb testing.TB, db *sql.DB) {
	var price int
	if err := db.QueryRow(selectPrice, 7).Scan(&price); err != nil || price != 42 {
		tb.Fatal(price, err)
	}
}

// BenchmarkSQLQuery is one query of one row: the SQL fake beside an empty driver
// and beside a bare go-sqlmock, which needs an expectation and rows per query.
func BenchmarkSQLQuery(b *testing.B) {
	b.Run("empty driver", func(b *testing.B) {
		db := sql.OpenDB(emptyDriver{})
		defer db.Close()
		b.ReportAllocs()
		for b.Loop() {
			queryPrice(b, db)
		}
	})
	b.Run("go-sqlmock", func(b *testing.B) {
		// It walks over all the expectations that have been met: a new instance,
		// not timed, every 50 queries keeps that out of the picture.
		const perMock = 50
		b.ReportAllocs()
		b.ResetTimer()
		for done := 0; done < b.N; done += perMock {
			b.StopTimer()
			db, mock, err := sqlmock.New(sqlmock.QueryMatcherOption(sqlmock.QueryMatcherEqual))
			if err != nil {
				b.Fatal(err)
			}
			b.StartTimer()
			for range min(perMock, b.N-done) {
				mock.ExpectQuery(selectPrice).WithArgs(7).WillReturnRows(priceRows())
				queryPrice(b, db)
			}
			b.StopTimer()
			_ = db.Close() // complains that nobody expected it
			b.StartTimer()
		}
	})
	b.Run("fake", func(b *testing.B) {
		db := pool.NewSQL(b, pool.SQLConfig{})
		db.On(selectPrice).WithArgs(7).Rows(priceRows())
		b.ReportAllocs()
		for b.Loop() {
			queryPrice(b, db.DB())
		}
	})
}

// BenchmarkHTTPRoundTrip is one request with its answer of two bytes, read and
// closed: the HTTP fake beside a bare httpmock transport, under a context that
// cannot end and under one that can.
func BenchmarkHTTPRoundTrip(b *testing.B) {
	responder := httpmock.NewStringResponder(200, "ok")
	bare := httpmock.NewMockTransport()
	bare.RegisterResponder("GET", "/a", responder)
	cancellable, cancel := context.WithCancel(context.Background())
	defer cancel()
	for _, c := range []struct {
		name string
		ctx  context.Context
	}{{"background", context.Background()}, {"cancellable", cancellable}} {
		run := func(b *testing.B, rt http.RoundTripper) {
			req, err := http.NewRequestWithContext(c.ctx, http.MethodGet, "http://host/a", nil)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				resp, err := rt.RoundTrip(req)
				if err != nil {
					b.Fatal(err)
				}
				_, _ = io.Copy(io.Discard, resp.Body)
				_ = resp.Body.Close()
			}
		}
		b.Run(c.name+"/httpmock", func(b *testing.B) { run(b, bare) })
		b.Run(c.name+"/fake", func(b *testing.B) {
			h := pool.NewHTTP(b, pool.HTTPConfig{})
			h.On("GET", "/a", responder)
			run(b, h)
		})
	}
}

// TestSQLMemoryIsFlat runs a million queries and looks at what is left of them.
func TestSQLMemoryIsFlat(t *testing.T) {
	if testing.Short() {
		t.Skip("a million queries")
	}
	db := pool.NewSQL(t, pool.SQLConfig{})
	db.On(selectPrice).Rows(priceRows())
	heap := func() int64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	for range 10_000 {
		queryPrice(t, db.DB())
	}
	before := heap()
	for range 1_000_000 {
		queryPrice(t, db.DB())
	}
	if grown := heap() - before; grown > 64<<10 {
		t.Errorf("the heap grew by %d bytes over a million queries", grown)
	} else {
		t.Logf("real: the heap grew by %d bytes over a million queries", grown)
	}
}
