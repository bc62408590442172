package fakesql

import (
	"context"
	"database/sql"
	"testing"
	"time"

	"github.com/DATA-DOG/go-sqlmock"
	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/fixtures"
	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/latency"
	"github.com/go-qtests/qtests/qtests/pool/fake"
)

const priceQuery = "SELECT price FROM items WHERE id = ?"

func prices(values ...any) *sqlmock.Rows {
	rows := sqlmock.NewRows([]string{"price"})
	for _, v := range values {
		rows.AddRow(v)
	}
	return rows
}

func price(ctx context.Context, db *sql.DB, id int) (p int, err error) {
	err = db.QueryRowContext(ctx, priceQuery, id).Scan(&p)
	return p, err
}

// One *sqlmock.Rows serves any number of queries at once; only Max of them hold a
// connection, the others are served in the order in which they came.
func TestSQLAnswersManyAtOnceInOrder(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		db := NewT(q, Config{Max: 10, Latency: latency.Fixed(time.Millisecond)})
		db.On(priceQuery).Rows(prices(42))
		start := q.Clock().Now()
		ended := make([]int, 1000) // in which millisecond
		for i := range 1000 {
			q.Clock().AfterFunc(0, func() {
				p, err := price(context.Background(), db.DB(), i)
				if err != nil || p != 42 {
					q.Errorf("query %d: %d, %v", i, p, err)
				}
				ended[i] = int(q.Clock().Now().Sub(start) / time.Millisecond)
			})
		}
		q.Sleep(time.Second)
		for i, ms := range ended {
			require.Equal(q, i/10+1, ms, "query %d", i)
		}
		s := db.Stats()
		require.Equal(q, uint64(1000), s.Pool.Acquired)
		require.Equal(q, uint64(1000), s.Pool.Waited)
		require.Equal(q, 10, s.Pool.Idle)
		require.Equal(q, fake.Calls{Calls: 1010, OK: 1010}, s.Calls)
	})
}

func TestRowsFromFixtures(t *testing.T) {
	db := NewT(t, Config{})
	db.On("SELECT * FROM sections").Rows(fixtures.Rows(t, "sections.csv"))
	rows, err := db.DB().Query("SELECT * FROM sections")
	require.NoError(t, err)
	columns, err := rows.Columns()
	require.NoError(t, err)
	require.NotEmpty(t, columns)
	n := 0
	for rows.Next() {
		n++
	}
	require.NoError(t, rows.Close())
	require.Positive(t, n)
}
