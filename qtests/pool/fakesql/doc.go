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
// with an [UnmatchedQuery], which names what was asked and the nearest stubs.
//
// # Latency, faults, metrics
//
// They are those of package fake. A fault may concern all of the fake, one query (the
// events of a [Stub]), one operation ([Fake.OnConnect], [Fake.OnCommit], …) or one
// connection ([Fake.Conn]). [Fake.Kill] breaks connections.
package fakesql
