package pgwire_test

import (
	"testing"
	"time"

	"github.com/DATA-DOG/go-sqlmock"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/go-qtests/qtests/pgwire"
	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/latency"
	"github.com/go-qtests/qtests/qtests/pool/fakesql"
)

// A pool of pgx asks a database whose answers take 3 ms, and which is away for ten seconds, a minute from now.
func Example() {
	var t *testing.T // the one of the test
	qtests.Run(t, func(q *qtests.T) {
		db := fakesql.NewT(q, fakesql.Config{Latency: latency.Fixed(3 * time.Millisecond)})
		db.On(`SELECT price FROM items WHERE id = $1`).WithArgs(7).Rows(sqlmock.NewRows([]string{"price"}).AddRow(42))
		q.Schedule(db.Outage().At(time.Minute).For(10 * time.Second))

		server := pgwire.NewT(q, db)
		config, err := pgxpool.ParseConfig(server.URL())
		if err != nil {
			q.Fatal(err)
		}
		config.ConnConfig.DialFunc = server.Dial
		pool, err := pgxpool.NewWithConfig(q.Context(), config)
		if err != nil {
			q.Fatal(err)
		}
		defer pool.Close()
		var price int
		if err := pool.QueryRow(q.Context(), `SELECT price FROM items WHERE id = $1`, 7).Scan(&price); err != nil {
			q.Fatal(err)
		}
		q.Log(price, q.Elapsed())
	})
}
