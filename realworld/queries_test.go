package realworld

import (
	"net/http"
	"testing"

	"github.com/DATA-DOG/go-sqlmock"
	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"
	"gorm.io/driver/mysql"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/pool/fakesql"
)

// An item is a row, for sqlx and for gorm.
type item struct {
	ID   int    `db:"id"`
	Name string `db:"name"`
}

// asked serves one request of a handler over a watched fake, and returns what it asked.
func asked(q *qtests.T, handler func(db *fakesql.Fake) http.HandlerFunc, queries ...string) fakesql.Asked {
	db := fakesql.NewT(q, fakesql.Config{})
	for _, query := range queries {
		db.On(query).Rows(sqlmock.NewRows([]string{"id", "name"}).AddRow(1, "soap"))
	}
	db.WatchQueries()
	resp, err := q.Direct(fakesql.Requests(handler(db))).Get("http://shop/items")
	require.NoError(q, err)
	require.NoError(q, resp.Body.Close())
	require.Equal(q, 200, resp.StatusCode)
	return db.Asked()
}

// The finder of N+1 queries works below sqlx.
func TestSqlxQueries(t *testing.T) {
	const one = "SELECT id, name FROM items WHERE id = ?"
	qtests.Run(t, func(q *qtests.T) {
		a := asked(q, func(db *fakesql.Fake) http.HandlerFunc {
			x := sqlx.NewDb(db.DB(), "mysql")
			return func(w http.ResponseWriter, r *http.Request) {
				for id := range 4 {
					var it item
					require.NoError(q, x.GetContext(r.Context(), &it, one, id))
				}
			}
		}, one)
		found := a.Repeats(3)
		require.Len(q, found, 1)
		require.Equal(q, 4, found[0].Times)
		require.Regexp(q, `^queries_test.go:\d+$`, found[0].Line)
	})
}

// And below gorm, whose WithContext has to be used.
func TestGormQueries(t *testing.T) {
	const one = "SELECT * FROM `items` WHERE id = ? LIMIT ?"
	qtests.Run(t, func(q *qtests.T) {
		a := asked(q, func(db *fakesql.Fake) http.HandlerFunc {
			x, err := gorm.Open(mysql.New(mysql.Config{Conn: db.DB(), SkipInitializeWithVersion: true}), &gorm.Config{Logger: logger.Discard})
			require.NoError(q, err)
			return func(w http.ResponseWriter, r *http.Request) {
				for id := range 4 {
					var it item
					require.NoError(q, x.WithContext(r.Context()).Take(&it, "id = ?", id).Error)
				}
			}
		}, one)
		require.Len(q, a.Repeats(3), 1)
		require.Equal(q, "GET /items", a.MostOf)
		require.Empty(q, a.Unlimited())
	})
}
