package pgwire_test

import (
	"context"
	"database/sql/driver"
	"errors"
	"testing"
	"time"

	"github.com/DATA-DOG/go-sqlmock"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/pgwire"
	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/latency"
	"github.com/go-qtests/qtests/qtests/pool/fakesql"
)

func TestMain(m *testing.M) { qtests.VerifyTestMain(m) }

const (
	price  = `SELECT price FROM items WHERE id = $1`
	rename = `UPDATE items SET name = $1 WHERE id = $2`
)

// A rig is a fake database and a pool of pgx that reaches it over the wire.
type rig struct {
	*qtests.T
	db     *fakesql.Fake
	server *pgwire.Server
	pool   *pgxpool.Pool
}

func run(t *testing.T, cfg fakesql.Config, change func(*pgxpool.Config), body func(r rig)) {
	t.Helper()
	qtests.Run(t, func(q *qtests.T) {
		r := rig{T: q, db: fakesql.NewT(q, cfg)}
		r.server = pgwire.NewT(q, r.db)
		config, err := pgxpool.ParseConfig(r.server.URL())
		require.NoError(q, err)
		config.ConnConfig.DialFunc = r.server.Dial
		if change != nil {
			change(config)
		}
		r.pool, err = pgxpool.NewWithConfig(q.Context(), config)
		require.NoError(q, err)
		q.Cleanup(r.pool.Close)
		body(r)
	})
}

// Each way in which pgx sends a statement gives the same answer.
func TestModes(t *testing.T) {
	for _, mode := range []pgx.QueryExecMode{
		pgx.QueryExecModeCacheStatement, pgx.QueryExecModeCacheDescribe, pgx.QueryExecModeDescribeExec, pgx.QueryExecModeExec,
	} {
		t.Run(mode.String(), func(t *testing.T) {
			run(t, fakesql.Config{}, func(c *pgxpool.Config) { c.ConnConfig.DefaultQueryExecMode = mode }, func(r rig) {
				r.db.On(price).WithArgs(7).Rows(sqlmock.NewRows([]string{"price"}).AddRow(42))
				r.db.On(rename).WithArgs("pen", 7).Result(sqlmock.NewResult(0, 3))
				for range 3 {
					var n int
					require.NoError(r, r.pool.QueryRow(r.Context(), price, 7).Scan(&n))
					require.Equal(r, 42, n)
					tag, err := r.pool.Exec(r.Context(), rename, "pen", 7)
					require.NoError(r, err)
					require.Equal(r, "UPDATE 3", tag.String())
				}
			})
		})
	}
}

func TestSimpleProtocol(t *testing.T) {
	run(t, fakesql.Config{}, func(c *pgxpool.Config) { c.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol }, func(r rig) {
		r.db.OnPattern(`SELECT price FROM items WHERE id =\s+'?7'?`).Rows(sqlmock.NewRows([]string{"price"}).AddRow(42).AddRow(43))
		rows, err := r.pool.Query(r.Context(), price, 7)
		require.NoError(r, err)
		all, err := pgx.CollectRows(rows, pgx.RowTo[int])
		require.NoError(r, err)
		require.Equal(r, []int{42, 43}, all)
		require.Equal(r, "SELECT 2", rows.CommandTag().String())
		require.NoError(r, r.pool.Ping(r.Context()))

		r.db.On("DELETE FROM a").Result(sqlmock.NewResult(0, 1))
		r.db.On("DELETE FROM b").Error(errors.New("locked"))
		_, err = r.pool.Exec(r.Context(), "DELETE FROM a; DELETE FROM b; DELETE FROM c")
		require.ErrorContains(r, err, "locked")
	})
}

func TestTypes(t *testing.T) {
	noon := time.Date(2024, 5, 6, 12, 0, 0, 123_456_000, time.UTC)
	const id = "0b1d5c12-38a5-4d31-9d3b-6f2a8d0e4a11"
	columns := []*sqlmock.Column{
		sqlmock.NewColumn("n"), sqlmock.NewColumn("f"), sqlmock.NewColumn("b"), sqlmock.NewColumn("s"), sqlmock.NewColumn("at"),
		sqlmock.NewColumn("raw"), sqlmock.NewColumn("none"), sqlmock.NewColumn("id").OfType("UUID", ""),
		sqlmock.NewColumn("doc").OfType("JSONB", []byte(nil)), sqlmock.NewColumn("few").OfType("int[]", ""),
		sqlmock.NewColumn("small").OfType("INTEGER", int64(0)), sqlmock.NewColumn("day").OfType("DATE", time.Time{}),
	}
	run(t, fakesql.Config{}, nil, func(r rig) {
		rows := sqlmock.NewRowsWithColumnDefinition(columns...).AddRow(int64(1), 1.5, true, "7", noon, []byte{0, 255}, nil,
			id, []byte(`{"a": 1}`), "{1,2}", int64(5), noon)
		r.db.On("SELECT * FROM t").Rows(rows)
		var (
			n, s, small int
			f           float64
			b           bool
			at, day     time.Time
			raw         []byte
			none        *string
			uuid        [16]byte
			doc         struct{ A int }
			few         []int
		)
		require.NoError(r, r.pool.QueryRow(r.Context(), "SELECT * FROM t").Scan(&n, &f, &b, &s, &at, &raw, &none, &uuid, &doc, &few, &small, &day))
		require.Equal(r, []any{1, 1.5, true, 7, []byte{0, 255}, (*string)(nil), 1, []int{1, 2}, 5}, []any{n, f, b, s, raw, none, doc.A, few, small})
		require.True(r, noon.Equal(at), at)
		require.Equal(r, "2024-05-06", day.Format(time.DateOnly))
		require.Equal(r, byte(0x0b), uuid[0])

		found, err := r.pool.Query(r.Context(), "SELECT * FROM t")
		require.NoError(r, err)
		whole, err := pgx.CollectOneRow(found, pgx.RowToMap)
		require.NoError(r, err)
		require.Equal(r, []any{int64(1), "7", nil, map[string]any{"a": 1.0}}, []any{whole["n"], whole["s"], whole["none"], whole["doc"]})
	})
}

func TestArguments(t *testing.T) {
	noon := time.Date(2024, 5, 6, 12, 0, 0, 0, time.UTC)
	const insert = `INSERT INTO t VALUES ($1, $2, $3, $4, $5, $6::jsonb, '$7') -- $8`
	run(t, fakesql.Config{}, nil, func(r rig) {
		r.db.On(insert).WithArgs(int64(1), "x", true, noon, nil, `{"a":1}`).Result(sqlmock.NewResult(0, 1))
		tag, err := r.pool.Exec(r.Context(), insert, 1, "x", true, noon, nil, map[string]int{"a": 1})
		require.NoError(r, err)
		require.Equal(r, "INSERT 0 1", tag.String())
		_, err = r.pool.Exec(r.Context(), insert, 1)
		require.Error(r, err)
	})
}

// Errors arrive with their SQLSTATE, and the connection goes on.
func TestErrors(t *testing.T) {
	for _, c := range []struct {
		err  error
		want pgconn.PgError
	}{
		{fakesql.ErrDeadlock, pgconn.PgError{Code: "40P01"}},
		{errors.New("odd"), pgconn.PgError{Code: "XX000", Message: "odd"}},
		{&pgconn.PgError{Code: "23505", Message: "twice", ConstraintName: "items_name"}, pgconn.PgError{Code: "23505", Message: "twice", ConstraintName: "items_name"}},
	} {
		run(t, fakesql.Config{}, nil, func(r rig) {
			r.db.On(rename).Error(c.err).Then().Result(sqlmock.NewResult(0, 1))
			conn, err := r.pool.Acquire(r.Context())
			require.NoError(r, err)
			defer conn.Release()
			_, err = conn.Exec(r.Context(), rename, "pen", 1)
			var got *pgconn.PgError
			require.ErrorAs(r, err, &got)
			require.Equal(r, c.want.Code, got.Code)
			require.Equal(r, c.want.ConstraintName, got.ConstraintName)
			require.Contains(r, got.Message, c.want.Message)
			_, err = conn.Exec(r.Context(), rename, "pen", 1)
			require.NoError(r, err)
		})
	}
}

func TestTransactions(t *testing.T) {
	run(t, fakesql.Config{}, nil, func(r rig) {
		r.db.On(rename).Result(sqlmock.NewResult(0, 1))
		update := func(tx pgx.Tx) error {
			_, err := tx.Exec(r.Context(), rename, "pen", 1)
			return err
		}
		require.NoError(r, pgx.BeginFunc(r.Context(), r.pool, update))
		r.db.On(rename).Error(errors.New("odd")).Times(1)
		require.ErrorContains(r, pgx.BeginFunc(r.Context(), r.pool, update), "odd")

		tx, err := r.pool.BeginTx(r.Context(), pgx.TxOptions{IsoLevel: pgx.Serializable})
		require.NoError(r, err)
		r.db.On("SELECT 1").Error(errors.New("odd"))
		_, err = tx.Exec(r.Context(), "SELECT 1")
		require.ErrorContains(r, err, "odd")
		var failed *pgconn.PgError
		require.ErrorAs(r, update(tx), &failed)
		require.Equal(r, "25P02", failed.Code)
		require.ErrorIs(r, tx.Commit(r.Context()), pgx.ErrTxCommitRollback)

		tx, err = r.pool.Begin(r.Context())
		require.NoError(r, err)
		require.ErrorContains(r, pgx.BeginFunc(r.Context(), tx, func(inner pgx.Tx) error {
			_, err := inner.Exec(r.Context(), "SELECT 1")
			return err
		}), "odd")
		require.NoError(r, update(tx), "the savepoint is rolled back to")
		r.db.OnCommit().Error(fakesql.ErrSerialization)
		require.ErrorAs(r, tx.Commit(r.Context()), &failed)
		require.Equal(r, "40001", failed.Code)
	})
}

func TestBatchAndStatement(t *testing.T) {
	run(t, fakesql.Config{}, nil, func(r rig) {
		r.db.On(price).WithArgs(7).Rows(sqlmock.NewRows([]string{"price"}).AddRow(42))
		r.db.On(price).WithArgs(8).Rows(sqlmock.NewRows([]string{"price"}).AddRow("43"))
		batch := &pgx.Batch{}
		var got []int
		for id := 7; id < 9; id++ {
			batch.Queue(price, id).QueryRow(func(row pgx.Row) error {
				var n int
				err := row.Scan(&n)
				got = append(got, n)
				return err
			})
		}
		require.NoError(r, r.pool.SendBatch(r.Context(), batch).Close())
		require.Equal(r, []int{42, 43}, got)

		conn, err := r.pool.Acquire(r.Context())
		require.NoError(r, err)
		defer conn.Release()
		_, err = conn.Conn().Prepare(r.Context(), "by_id", price)
		require.NoError(r, err)
		var n int
		require.NoError(r, conn.QueryRow(r.Context(), "by_id", 7).Scan(&n))
		require.NoError(r, conn.Conn().Deallocate(r.Context(), "by_id"))
		require.NoError(r, conn.Conn().DeallocateAll(r.Context()))
		require.Equal(r, 42, n)
		_, err = conn.Conn().CopyFrom(r.Context(), pgx.Identifier{"t"}, []string{"a"}, pgx.CopyFromRows([][]any{{1}}))
		require.ErrorContains(r, err, "COPY is not supported by pgwire")
	})
}

// database/sql over pgx, and what is below it.
func TestRaw(t *testing.T) {
	run(t, fakesql.Config{}, nil, func(r rig) {
		r.db.On(price).WithArgs(7).Rows(sqlmock.NewRows([]string{"price"}).AddRow(42))
		db := stdlib.OpenDBFromPool(r.pool)
		defer func() { _ = db.Close() }()
		var n int
		require.NoError(r, db.QueryRowContext(r.Context(), price, 7).Scan(&n))
		require.Equal(r, 42, n)
		conn, err := db.Conn(r.Context())
		require.NoError(r, err)
		defer func() { _ = conn.Close() }()
		require.NoError(r, conn.Raw(func(c any) error {
			return c.(*stdlib.Conn).Conn().QueryRow(r.Context(), price, 7).Scan(&n)
		}))
	})
}

// A statement whose context ends is cancelled in the fake, too, and the pool goes on.
func TestCancel(t *testing.T) {
	run(t, fakesql.Config{}, nil, func(r rig) {
		ended := make(chan error, 1)
		r.db.On(rename).AnswerExec(func(ctx context.Context, _ []driver.NamedValue) (driver.Result, error) {
			<-ctx.Done()
			ended <- ctx.Err()
			return nil, ctx.Err()
		})
		r.db.On(price).Rows(sqlmock.NewRows([]string{"price"}).AddRow(42))
		ctx, cancel := context.WithTimeout(r.Context(), time.Second)
		defer cancel()
		_, err := r.pool.Exec(ctx, rename, "pen", 1)
		require.ErrorIs(r, err, context.DeadlineExceeded)
		require.Equal(r, time.Second, r.Elapsed().Round(time.Millisecond))
		require.ErrorIs(r, <-ended, context.Canceled)
		var n int
		require.NoError(r, r.pool.QueryRow(r.Context(), price, 7).Scan(&n))
	})
}

// The faults of the fake and those of the link, and the fake's limit of connections.
func TestFaults(t *testing.T) {
	run(t, fakesql.Config{Max: 2, Latency: latency.Fixed(3 * time.Millisecond)}, nil, func(r rig) {
		r.db.On(price).Rows(sqlmock.NewRows([]string{"price"}).AddRow(42))
		ask := func() error {
			ctx, cancel := context.WithTimeout(r.Context(), 5*time.Second)
			defer cancel()
			var n int
			return r.pool.QueryRow(ctx, price, 7).Scan(&n)
		}
		r.Schedule(r.db.Outage().At(time.Minute).For(10*time.Second), r.server.Link().Partition().At(2*time.Minute).For(10*time.Second))
		require.NoError(r, ask())
		r.Sleep(65 * time.Second)
		require.Error(r, ask())
		var refused *pgconn.ConnectError
		require.ErrorAs(r, ask(), &refused, "a new connection")
		r.Sleep(10 * time.Second)
		require.NoError(r, ask())
		r.Sleep(121*time.Second - r.Elapsed())
		require.ErrorIs(r, ask(), context.DeadlineExceeded)
		r.Sleep(10 * time.Second)
		require.NoError(r, ask())
		require.LessOrEqual(r, r.db.Stats().Pool.InUse, 2)
	})
}
