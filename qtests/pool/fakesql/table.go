package fakesql

import (
	"bytes"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"

	"github.com/DATA-DOG/go-sqlmock"
)

// A table is one result set, copied out of a *sqlmock.Rows. It never changes,
// so that any number of queries read it at once.
type table struct {
	columns  []string
	types    driver.Rows // answers the ColumnType methods, nil if it cannot
	rows     [][]driver.Value
	rowErr   map[int]error // what reading the row with that index returns
	closeErr error
}

// A rowsReader copies result sets, for one caller at a time. The Rows of go-sqlmock
// do not show their content, and remember how far they have been read. Therefore a
// sqlmock of the reader reads a shallow copy of each: the caller's Rows stay as they are.
type rowsReader struct {
	mock sqlmock.Sqlmock
	uses int
}

// maxReaderUses is how many result sets one sqlmock reads: it keeps them all.
const maxReaderUses = 100

func (r *rowsReader) read(rows []*sqlmock.Rows) ([]*table, error) {
	var tables []*table
	for i, set := range rows {
		if set == nil {
			return nil, fmt.Errorf("rows %d are nil", i)
		}
		source, err := r.source(*set)
		if err != nil {
			return nil, err
		}
		tables = append(tables, readTable(source))
	}
	return tables, nil
}

func (r *rowsReader) source(shallow sqlmock.Rows) (driver.Rows, error) {
	if r.mock == nil || r.uses >= maxReaderUses {
		_, mock, err := newMock(plainMock)
		if err != nil {
			return nil, err
		}
		r.mock, r.uses = mock, 0
	}
	r.uses++
	r.mock.ExpectQuery("").WillReturnRows(&shallow)
	// Not QueryContext: it waits for a timer, if only for an instant.
	return r.mock.(interface {
		Query(string, []driver.Value) (driver.Rows, error)
	}).Query("", nil)
}

func readTable(source driver.Rows) *table {
	t := &table{columns: source.Columns(), rowErr: map[int]error{}}
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
func (t *table) atEnd(row []driver.Value) bool {
	for _, v := range row {
		if v != nil {
			return false
		}
	}
	return true
}
