package fakesql

import (
	"context"
	"database/sql/driver"
	"io"
	"math/rand/v2"
	"reflect"
	"time"

	"github.com/go-qtests/qtests/qtests/latency"
	"github.com/go-qtests/qtests/qtests/pool/internal/fault"
)

// resultRows is one reading of some tables, for one goroutine at a time.
type resultRows struct {
	session *session
	ctx     context.Context // of the query
	call    fault.Call
	sets    []*table
	next    int    // row
	buf     []byte // of the present row's bytes, as drivers reuse theirs
	left    int    // rows until it breaks; negative: it does not
	broken  error
	latency latency.Distribution // of each row
	draws   *rand.Rand           // nil without a latency
}

// rowsOf begins to read what a stub answers to a query.
func (s *session) rowsOf(ctx context.Context, r reached, args []driver.NamedValue) (driver.Rows, error) {
	a := r.stub.answer.Load()
	tables, err := r.stub.tables(ctx, a, args)
	if err != nil {
		return nil, err
	}
	rows := &resultRows{session: s, ctx: ctx, call: r.call, sets: tables, left: a.breakAfter, broken: a.breakErr}
	if !a.rowLatency.IsZero() {
		rows.latency, rows.draws = a.rowLatency, s.db.common.Stream.Sub("rows "+r.stub.query).At(r.n)
	}
	s.attach()
	return rows, nil
}

func (r *resultRows) Columns() []string { return r.sets[0].columns }

// Close does not wait: its caller may hold a lock of database/sql.
func (r *resultRows) Close() error { return r.sets[0].closeErr }

// Next waits until the next row has arrived.
func (r *resultRows) Next(dest []driver.Value) error {
	if err := r.arrive(); err != nil {
		return err
	}
	if r.left == 0 {
		r.session.bad = r.broken
		return r.broken
	}
	set := r.sets[0]
	if r.next >= len(set.rows) {
		return io.EOF
	}
	r.buf = r.buf[:0]
	for i, v := range set.rows[r.next] {
		if b, ok := v.([]byte); ok && len(b) > 0 {
			// A reader that keeps RawBytes sees them change, and one that writes
			// to them does not change what the next query gets.
			start := len(r.buf)
			r.buf = append(r.buf, b...)
			v = r.buf[start:len(r.buf):len(r.buf)]
		}
		dest[i] = v
	}
	err := set.rowErr[r.next]
	r.next++
	r.left--
	return err
}

// arrive waits for the latency of a row, and as long as a freeze holds it. An outage cuts
// the rows off.
func (r *resultRows) arrive() error {
	s, e := r.session, r.session.db.engine
	if err := s.lost(); err != nil {
		return err
	}
	if err := s.cut(); err != nil {
		return err
	}
	if err := e.Severed(r.call); err != nil {
		return s.suffer(err)
	}
	var d time.Duration
	if r.draws != nil && r.left != 0 && r.next < len(r.sets[0].rows) {
		d = e.Stretch(r.latency.Sample(r.draws), r.call.On)
	}
	if d <= 0 && !e.Frozen(r.call.On) {
		return nil
	}
	call := r.call
	s.bind(r.ctx, &call)
	return s.suffer(e.Linger(r.ctx, &call, d, fault.Freeze))
}

func (r *resultRows) HasNextResultSet() bool { return len(r.sets) > 1 }

func (r *resultRows) NextResultSet() error {
	if len(r.sets) < 2 {
		return io.EOF
	}
	r.sets, r.next = r.sets[1:], 0
	return nil
}

func (r *resultRows) ColumnTypeDatabaseTypeName(i int) string {
	if t, ok := r.sets[0].types.(driver.RowsColumnTypeDatabaseTypeName); ok {
		return t.ColumnTypeDatabaseTypeName(i)
	}
	return ""
}

func (r *resultRows) ColumnTypeLength(i int) (int64, bool) {
	if t, ok := r.sets[0].types.(driver.RowsColumnTypeLength); ok {
		return t.ColumnTypeLength(i)
	}
	return 0, false
}

func (r *resultRows) ColumnTypeNullable(i int) (nullable, known bool) {
	if t, ok := r.sets[0].types.(driver.RowsColumnTypeNullable); ok {
		return t.ColumnTypeNullable(i)
	}
	return false, false
}

func (r *resultRows) ColumnTypePrecisionScale(i int) (precision, scale int64, ok bool) {
	if t, ok := r.sets[0].types.(driver.RowsColumnTypePrecisionScale); ok {
		return t.ColumnTypePrecisionScale(i)
	}
	return 0, 0, false
}

func (r *resultRows) ColumnTypeScanType(i int) reflect.Type {
	if t, ok := r.sets[0].types.(driver.RowsColumnTypeScanType); ok {
		return t.ColumnTypeScanType(i)
	}
	return reflect.TypeFor[any]()
}
