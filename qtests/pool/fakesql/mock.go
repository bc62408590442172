package fakesql

import (
	"database/sql/driver"

	"github.com/DATA-DOG/go-sqlmock"
)

// newMock returns a go-sqlmock connection. go-sqlmock registers each of its instances
// globally until the last connection to it is closed. Therefore newMock closes the
// *sql.DB at once, which also ends its goroutine. The connection is the mock itself and
// goes on working.
func newMock(o mockOptions) (driver.Conn, sqlmock.Sqlmock, error) {
	db, mock, err := sqlmock.New(sqlmock.QueryMatcherOption(o.matcher),
		sqlmock.ValueConverterOption(o.converter), sqlmock.MonitorPingsOption(o.pings))
	if err != nil {
		return nil, nil, err
	}
	_ = db.Close() // the error says that the test did not expect it
	return mock.(driver.Conn), mock, nil
}

// mockOptions are the options of a go-sqlmock.
type mockOptions struct {
	matcher   sqlmock.QueryMatcher
	converter driver.ValueConverter
	pings     bool
}
