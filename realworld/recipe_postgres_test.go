package realworld

import (
	"context"
	"testing"
	"time"

	"github.com/DATA-DOG/go-sqlmock"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/pgwire"
	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/latency"
	"github.com/go-qtests/qtests/qtests/pool/fakesql"
	"github.com/go-qtests/qtests/qtests/wire"
)

// A pool of pgx before a fake database. First the database fails, then the network is slow.
func TestRecipePostgres(t *testing.T) {
	recipe(t, func(q *qtests.T, log *Log) {
		db := fakesql.NewT(q, fakesql.Config{Latency: latency.Fixed(3 * time.Millisecond)})
		db.On(`SELECT price FROM items WHERE id = $1 FOR UPDATE`).WithArgs(7).Rows(sqlmock.NewRows([]string{"price"}).AddRow(42))
		db.On(`UPDATE items SET price = $1 WHERE id = $2`).WithArgs(43, 7).Result(sqlmock.NewResult(0, 1))
		server := pgwire.NewT(q, db)
		config, err := pgxpool.ParseConfig(server.URL())
		require.NoError(q, err)
		config.ConnConfig.DialFunc = server.Dial
		pool, err := pgxpool.NewWithConfig(q.Context(), config)
		require.NoError(q, err)
		defer pool.Close()
		q.Schedule(
			db.Outage().At(time.Minute).For(10*time.Second),
			server.Link().Latency(wire.Both, latency.Uniform(100*time.Millisecond, 500*time.Millisecond)).At(2*time.Minute).For(20*time.Second),
		)
		failed := 0
		for log.at() < 3*time.Minute {
			began := time.Now()
			err := raise(q.Context(), pool)
			log.Addf("%v after %v", err, time.Since(began))
			if err != nil {
				failed++
			}
			q.Sleep(5 * time.Second)
		}
		require.InDelta(q, 5, failed, 3, "in the outage, and while the network was slow")
	})
}

// raise is the code under test: it adds 1 to the price of an item.
func raise(ctx context.Context, pool *pgxpool.Pool) error {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		var price int
		if err := tx.QueryRow(ctx, `SELECT price FROM items WHERE id = $1 FOR UPDATE`, 7).Scan(&price); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `UPDATE items SET price = $1 WHERE id = $2`, price+1, 7)
		return err
	})
}
