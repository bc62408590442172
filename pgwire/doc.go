// Package pgwire has a fake database speak PostgreSQL's protocol in memory, so that pgx, pgxpool and other clients which
// are no database/sql driver run against the stubs of package fakesql: their pools, prepared statements, batches,
// transactions and cancellations are real, and fake time passes while they wait.
//
//	qtests.Run(t, func(q *qtests.T) {
//		db := fakesql.NewT(q, fakesql.Config{Latency: latency.Fixed(3 * time.Millisecond)})
//		db.On(`SELECT price FROM items WHERE id = $1`).WithArgs(7).Rows(sqlmock.NewRows([]string{"price"}).AddRow(42))
//		server := pgwire.NewT(q, db)
//		config, err := pgxpool.ParseConfig(server.URL())
//		…
//		config.ConnConfig.DialFunc = server.Dial
//		pool, err := pgxpool.NewWithConfig(q.Context(), config)
//		…
//		q.Schedule(db.Outage().At(time.Minute).For(10*time.Second), server.Link().Partition().At(time.Hour).For(time.Minute))
//	})
//
// # What answers
//
// Each statement is given to the fake, with its arguments. One that begins with SELECT, WITH, VALUES, TABLE, SHOW, FETCH or
// EXPLAIN, or has RETURNING in it, asks a stub for its Rows, and any other for its Result. BEGIN, COMMIT and
// ROLLBACK are those of the fake (OnBegin, OnCommit, OnRollback); a transaction in which a statement has failed refuses all but
// its end, as PostgreSQL's does. SET, RESET, DISCARD, DEALLOCATE and savepoints succeed without being asked for. COPY and LISTEN are
// refused with 0A000.
//
// A connection takes one of the fake when it is opened, by a ping of the fake, and gives it back when it is closed:
// fakesql.Config.Max is what max_connections is there, and OnPing is what a login takes.
//
// # Types
//
// A column has the type that its sqlmock.NewColumn names with OfType, such as "UUID" or "JSONB", as pgx spells it in any case. Without one
// it has the type of the value in the first row: int64 is int8, float64 float8, bool bool, []byte bytea, time.Time timestamptz. A
// string, or NULL, has none, so that pgx reads it as what the caller scans into. Arguments come as fakesql.Untyped, unless the
// client says the type, or the statement does by a cast ($1::jsonb); JSON comes as a string.
//
// Columns are described when the arguments are known, not when a statement is prepared: pgx asks again then, and gets text.
// Clients that need the description before, as lib/pq, do not work.
//
// # Errors
//
// An error of a stub reaches the client as PostgreSQL sends it: a *pgconn.PgError as it is, one with a SQLState, as
// *fakesql.ServerError, with its state, a cancelled statement as 57014, and any other as XX000. An outage of the fake, a killed connection, and
// driver.ErrBadConn close the connection without a word.
//
// # Out of scope
//
// TLS, passwords (anybody may log in), COPY with pgx' CopyFrom, LISTEN, replication, and more than one statement in a prepared one.
package pgwire
