package fakesql_test

import (
	"fmt"

	"github.com/DATA-DOG/go-sqlmock"

	"github.com/go-qtests/qtests/qtests/pool/fakesql"
	"github.com/go-qtests/qtests/qtests/tbtest"
)

func Example() {
	tbtest.Run("an example has no t of its own", func(t *tbtest.TB) {
		db := fakesql.NewT(t, fakesql.Config{Name: "shop", Max: 20})
		db.On(`SELECT price FROM items WHERE id = ?`).WithArgs(1).Rows(sqlmock.NewRows([]string{"price"}).AddRow(7))
		show := func(query string, args ...any) {
			var price int
			err := db.DB().QueryRow(query, args...).Scan(&price)
			fmt.Println(price, err)
		}
		show(`SELECT price FROM items WHERE id = ?`, 1)
		outage := db.Outage() // on a timeline: .At(time.Minute).For(time.Second)
		outage.Begin()
		show(`SELECT price FROM items WHERE id = ?`, 1)
		outage.End()
		show(`SELECT cost FROM items WHERE id = ?`, 2)
	})
	// Output:
	// 7 <nil>
	// 0 shop: query: fake: outage: connection refused
	// 0 shop: no stub answers the query
	// 	SELECT cost FROM items WHERE id = ?
	// with the arguments
	// 	1 = int64 2
	// nearest stubs:
	// 	SELECT price FROM items WHERE id = ?
}
