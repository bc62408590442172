package pool

import (
	"context"
	"database/sql"
	"testing"
	"time"

	"github.com/DATA-DOG/go-sqlmock"
	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
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
		db := NewSQL(q, SQLConfig{Max: 10, Latency: qtests.Fixed(time.Millisecond)})
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
		require.Equal(q, FaultStats{Calls: 1010, OK: 1010}, s.Calls)
	})
}
