// Package nplusone_test finds a page that asks the database once for its list, and then once for each item of it.
package nplusone_test

import (
	"context"
	"database/sql"
	"net/http"
	"testing"
	"time"

	"github.com/DATA-DOG/go-sqlmock"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/load"
	"github.com/go-qtests/qtests/qtests/load/traffic"
	"github.com/go-qtests/qtests/qtests/pool/fakesql"
	"github.com/go-qtests/qtests/qtests/section"
)

// orders is the code under test: a page of the last orders, with the name of each item.
func orders(db *sql.DB) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rows, err := db.QueryContext(r.Context(), "SELECT item FROM orders LIMIT 20")
		if err == nil {
			defer func() { _ = rows.Close() }()
		}
		for err == nil && rows.Next() {
			var item, name string
			if err = rows.Scan(&item); err == nil {
				err = db.QueryRowContext(r.Context(), "SELECT name FROM items WHERE id = ?", item).Scan(&name)
			}
			_, _ = w.Write([]byte(name + "\n"))
		}
		if err != nil {
			http.Error(w, err.Error(), 500)
		}
	})
}

func TestOrders(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		db := fakesql.NewT(q, fakesql.Config{Max: 5})
		db.On("SELECT item FROM orders LIMIT 20").Rows(sqlmock.NewRows([]string{"item"}).AddRow("7").AddRow("8").AddRow("9"))
		db.On("SELECT name FROM items WHERE id = ?").Rows(sqlmock.NewRows([]string{"name"}).AddRow("soap"))
		db.WatchQueries() // a test of one's own would say db.LimitQueries(q, 2), which fails here
		client := q.Direct(fakesql.Requests(orders(db.DB())))
		res := load.Run(q, load.Scenario{Traffic: traffic.Rate(1).For(10 * time.Second), Sections: []section.Source{db},
			Do: func(context.Context, *load.User) error {
				resp, err := client.Get("http://shop/orders")
				if err == nil {
					err = resp.Body.Close()
				}
				return err
			}})
		q.Logf("the report is %s", res.SaveHTML(q))
		if found := db.Asked().Repeats(2); len(found) != 1 || found[0].Times != 3 {
			q.Errorf("found %v, want the names of the three items, one by one", found)
		}
	})
}
