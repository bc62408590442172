package coming_test

import (
	"context"
	"database/sql"
	"testing"
	"time"

	"github.com/DATA-DOG/go-sqlmock"
	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/latency"
	"github.com/go-qtests/qtests/qtests/pool/fakesql"
)

// price is the code under test.
func price(ctx context.Context, db *sql.DB, id int) (cents int, err error) {
	err = db.QueryRowContext(ctx, `SELECT price FROM items WHERE id = ?`, id).Scan(&cents)
	return cents, err
}

func TestWithSqlmock(t *testing.T) {
	db, mock, err := sqlmock.New()
	require.NoError(t, err)
	defer func() { _ = db.Close() }()
	mock.ExpectQuery(`SELECT price FROM items WHERE id = \?`).WithArgs(7).
		WillReturnRows(sqlmock.NewRows([]string{"price"}).AddRow(250))
	mock.ExpectClose()
	cents, err := price(t.Context(), db, 7)
	require.NoError(t, err)
	require.Equal(t, 250, cents)
	require.NoError(t, db.Close())
	require.NoError(t, mock.ExpectationsWereMet())
}

func TestFromSqlmock(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		db := fakesql.NewT(q, fakesql.Config{Max: 4, Latency: latency.Fixed(3 * time.Millisecond)})
		db.On(`SELECT price FROM items WHERE id = ?`).Rows(sqlmock.NewRows([]string{"price"}).AddRow(250))
		for id := range 100 { // as often as the code likes, from any number of goroutines
			cents, err := price(q.Context(), db.DB(), id)
			require.NoError(q, err)
			require.Equal(q, 250, cents)
		}
		require.Equal(q, 300*time.Millisecond, q.Elapsed())
	})
}
