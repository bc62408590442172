package fakesql

import (
	"errors"
	"strings"
	"testing"

	"github.com/DATA-DOG/go-sqlmock"

	"github.com/go-qtests/qtests/qtests/pool/fake"
	"github.com/go-qtests/qtests/qtests/tbtest"
)

// Whatever the texts: a query is answered by its own stub, one that differs in
// more than white space is refused with an error that quotes it, and nothing
// panics.
func FuzzSQLQuery(f *testing.F) {
	f.Add("SELECT 1", "select 1", int64(1))
	f.Add("SELECT  *\nFROM a", "SELECT * FROM a", int64(-5))
	f.Add("SELECT (", "%s %v \x00", int64(0))
	f.Add(" ", "", int64(7))
	f.Fuzz(func(t *testing.T, query, other string, arg int64) {
		rec := tbtest.Run("t", func(rec *tbtest.TB) {
			db := NewT(rec, Config{AllowUnexpected: true})
			stub := db.On(query).WithArgs(arg).Rows(prices(arg))
			var got int64
			if err := db.DB().QueryRow(query, arg).Scan(&got); err != nil || got != arg {
				t.Errorf("%q: %d, %v", query, got, err)
			}
			_, err := read(db.DB(), other, arg)
			same := sqlmock.QueryMatcherEqual.Match(query, other) == nil
			if same != (err == nil) {
				t.Errorf("%q for %q: %v", other, query, err)
			}
			if err != nil && (!errors.Is(err, fake.ErrUnmatched) || !strings.Contains(err.Error(), other)) {
				t.Errorf("%q: %v", other, err)
			}
			_, err = read(db.DB(), query, arg, 1)
			if !errors.Is(err, fake.ErrUnmatched) {
				t.Errorf("%q with another argument: %v", query, err)
			}
			if n := stub.Calls(); n != 1 && !(same && n == 2) {
				t.Errorf("%d calls", n)
			}
		})
		if query != "" && rec.Failed() {
			t.Error(rec.Errors())
		}
	})
}
