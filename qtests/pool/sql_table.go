package pool

import (
	"bytes"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"reflect"
	"sync"

	"github.com/DATA-DOG/go-sqlmock"
)

// A sqlTable is one result set, copied out of a *sqlmock.Rows. It never changes,
// so that any number of queries read it at once.
type sqlTable struct {
	columns  []string
	types    driver.Rows // answers the ColumnType methods, nil if it cannot
	rows     [][]driver.Value
	rowErr   map[int]error // what reading the row with that index returns
	closeErr error
}

// A rowsReader copies result sets. go-sqlmock's Rows keep their content to
// themselves and remember how far they have been read, so a sqlmock of its own
// reads a shallow copy of each; the caller's Rows stay as they are.
type rowsReader struct {
	mu   sync.Mutex
	mock sqlmock.Sqlmock
	uses int
}

// maxReaderUses is how many result sets one sqlmock reads: it keeps them all.
const maxReaderUses = 100

func (r *rowsReader) read(rows []*sqlmock.Rows) ([]*sqlTable, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var tables []*sqlTable
	for i, set := range rows {
		if set == nil {
			return nil, fmt.Errorf("rows %d are nil", i)
		}
		source, err := r.sourceLocked(*set)
		if err != nil {
			return nil, err
		}
		tables = append(tables, readTable(source))
	}
	return tables, nil
}

func (r *rowsReader) sourceLocked(shallow sqlmock.Rows) (driver.Rows, error) {
	if r.mock == nil || r.uses >= maxReaderUses {
		_, mock, err := newMock(nil)
		if err != nil {
			return nil, err
		}
		r.mock, r.uses = mock, 0
	}
	r.uses++
	r.mock.ExpectQuery("").WillReturnRows(&shallow)
	// Not QueryContext, which waits for a timer, if only for an instant: nobody
	// may wait under the lock.
	return r.mock.(interface {
		Query(string, []driver.Value) (driver.Rows, error)
	}).Query("", nil)
}

func readTable(source driver.Rows) *sqlTable {
	t := &sqlTable{columns: source.Columns(), rowErr: map[int]error{}}
	if _, ok := source.(driver.RowsColumnTypeScanType); ok {
		t.types = source
	}
	for i := 0; ; i++ {
		row := make([]driver.Value, len(t.columns))
		err := source.Next(row)
		if errors.Is(err, io.EOF) && t.atEnd(row) {
			break
		}
		if err != nil {
			t.rowErr[i] = err
		}
		for j, v := range row {
			if b, ok := v.([]byte); ok {
				row[j] = bytes.Clone(b) // the source overwrites it
			}
		}
		t.rows = append(t.rows, row)
	}
	t.closeErr = source.Close()
	return t
}

// atEnd tells the end of the rows from a row whose scripted error is io.EOF,
// which go-sqlmock fills in all the same. The two are the same to a reader if
// every value is nil.
func (t *sqlTable) atEnd(row []driver.Value) bool {
	for _, v := range row {
		if v != nil {
			return false
		}
	}
	return true
}

// sqlRows is one reading of some tables, for one goroutine at a time.
type sqlRows struct {
	session *sqlSession
	sets    []*sqlTable
	next    int    // row
	buf     []byte // of the present row's bytes, as drivers reuse theirs
	left    int    // rows until it breaks; negative: it does not
	broken  error
}

func (r *sqlRows) Columns() []string { return r.sets[0].columns }

// Close does not wait: whoever closes rows may not be able to.
func (r *sqlRows) Close() error { return r.sets[0].closeErr }

func (r *sqlRows) Next(dest []driver.Value) error {
	if err := r.session.lost(); err != nil {
		return err
	}
	if r.left == 0 {
		r.session.bad = r.broken
		return &FaultError{Fake: r.session.db.name, Op: "rows", Err: r.broken}
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

func (r *sqlRows) HasNextResultSet() bool { return len(r.sets) > 1 }

func (r *sqlRows) NextResultSet() error {
	if len(r.sets) < 2 {
		return io.EOF
	}
	r.sets, r.next = r.sets[1:], 0
	return nil
}

func (r *sqlRows) ColumnTypeDatabaseTypeName(i int) string {
	if t, ok := r.sets[0].types.(driver.RowsColumnTypeDatabaseTypeName); ok {
		return t.ColumnTypeDatabaseTypeName(i)
	}
	return ""
}

func (r *sqlRows) ColumnTypeLength(i int) (int64, bool) {
	if t, ok := r.sets[0].types.(driver.RowsColumnTypeLength); ok {
		return t.ColumnTypeLength(i)
	}
	return 0, false
}

func (r *sqlRows) ColumnTypeNullable(i int) (nullable, known bool) {
	if t, ok := r.sets[0].types.(driver.RowsColumnTypeNullable); ok {
		return t.ColumnTypeNullable(i)
	}
	return false, false
}

func (r *sqlRows) ColumnTypePrecisionScale(i int) (precision, scale int64, ok bool) {
	if t, ok := r.sets[0].types.(driver.RowsColumnTypePrecisionScale); ok {
		return t.ColumnTypePrecisionScale(i)
	}
	return 0, 0, false
}

func (r *sqlRows) ColumnTypeScanType(i int) reflect.Type {
	if t, ok := r.sets[0].types.(driver.RowsColumnTypeScanType); ok {
		return t.ColumnTypeScanType(i)
	}
	return reflect.TypeFor[any]()
}

// newMock returns a go-sqlmock connection by itself. go-sqlmock registers each
// of its instances globally until the last connection to it is closed; closing
// the *sql.DB at once takes it out again and ends its goroutine, while the
// connection, which is the mock itself, goes on working.
func newMock(cfg *SQLConfig) (driver.Conn, sqlmock.Sqlmock, error) {
	var db *sql.DB
	var mock sqlmock.Sqlmock
	var err error
	if cfg == nil {
		db, mock, err = sqlmock.New(sqlmock.QueryMatcherOption(sqlmock.QueryMatcherEqual))
	} else {
		db, mock, err = sqlmock.New(sqlmock.QueryMatcherOption(cfg.Matcher),
			sqlmock.ValueConverterOption(cfg.Converter), sqlmock.MonitorPingsOption(cfg.MonitorPings))
	}
	if err != nil {
		return nil, nil, err
	}
	_ = db.Close() // go-sqlmock objects that nobody expected it
	return mock.(driver.Conn), mock, nil
}
