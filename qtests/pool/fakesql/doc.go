// Package fakesql has a fake database: a real *sql.DB whose connections come from a
// pool, each with a go-sqlmock underneath. It answers any number of queries at once.
//
//	db := fakesql.NewT(t, fakesql.Config{Max: 20, Latency: latency.Fixed(3 * time.Millisecond)})
//	db.On(`SELECT price FROM items WHERE id = ?`).Rows(sqlmock.NewRows([]string{"price"}).AddRow(7))
//	shop := NewShop(db.DB())
//	outage := db.Outage().At(20 * time.Minute).For(90 * time.Second)
//
// # What answers
//
// A stub answers the queries that it was registered for with On. Where Config.Setup or
// [Fake.Expect] is used, go-sqlmock answers what no stub does. Any other query fails
// with an [UnmatchedQuery], which names what was asked and the nearest stubs. A call that
// nothing answers also fails the test when the test ends, whatever the code under test
// made of the error: see Config.AllowUnexpected.
//
// [Fake.OnPattern] makes one stub for many queries. [Stub.Times] and [Stub.Then] make
// sequences of answers, [Stub.Answer] and [Stub.AnswerExec] compute them,
// [Stub.RowLatency] lets rows arrive over time, and [Stub.Capture] keeps calls.
//
// Arguments are compared after conversion. Times are the same if they are the same
// instant, to the microsecond, whatever their location.
//
// # Errors
//
// A scripted error arrives as it is, as a driver returns its own: code may ask for its
// type or compare it. Errors that the fake makes up are of type *fake.Error: outages,
// killed connections, and [fake.ErrInjected].
//
// # Latency, faults, metrics
//
// They are those of package fake. A fault may concern all of the fake, one query (the
// events of a [Stub]), one operation ([Fake.OnConnect], [Fake.OnCommit], …) or one
// connection ([Fake.Conn]). [Fake.Kill] breaks connections.
//
// # The numbers of the connections
//
// Max is a limit of the pool below database/sql, and callers wait in the queue of the
// pool: first come, first served, the same in every run, with Config.MaxWaiters and
// Config.AcquireTimeout. database/sql knows neither the limit nor the queue. Therefore
// (*sql.DB).Stats has no limit and no waiters, and counts the callers that wait as
// connections in use: 10 callers at a fake of Max 2 are 10 in use. [Fake.DBStats] has
// what a database with Max connections would show: 2 in use, and those who waited.
//
// Code under test that reads (*sql.DB).Stats itself sees true numbers where it or the
// test calls SetMaxOpenConns(Max), as for a real database. Callers then wait in the queue
// of database/sql: it serves them in random order, so that a run on the stock runtime does
// not repeat, and MaxWaiters and AcquireTimeout have no effect, because the pool never
// has a queue. The wait is then in the Stats of the handle, not in those of the fake.
//
// # What it was asked
//
// [Fake.WatchQueries] notes every statement, and [Requests], a middleware, tells the requests apart by their context.
// [Fake.Asked] then has a table of statements by count and time, N+1 queries ([Asked.Repeats]: one statement, asked again and again with other
// arguments in one request, and the line that asked), statements without a limit, transactions that held an idle
// connection, and how long connections were waited for. [Fake.LimitQueries] fails a test whose requests ask too much.
package fakesql
