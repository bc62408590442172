package fakesql

import (
	"context"
	"database/sql/driver"
	"errors"
	"testing"
	"time"

	"github.com/DATA-DOG/go-sqlmock"
	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/tbtest"
)

// A call that nothing answers fails the test, also where the code hides the error.
func TestUnexpectedCallsFailTheTest(t *testing.T) {
	scripted := errors.New("scripted")
	for name, c := range map[string]struct {
		body func(t *tbtest.TB)
		want string // of the failure
	}{
		"no stub": {func(t *tbtest.TB) {
			db := NewT(t, Config{})
			db.On("SELECT a").Rows(prices(1))
			for range 2 {
				_, _ = read(db.DB(), "SELECT b")
			}
		}, `\tstub_test\.go:\d+: SELECT b \(2 times\): the nearest stub is SELECT a$`},
		"no stub to prepare": {func(t *tbtest.TB) { _, _ = NewT(t, Config{}).DB().Prepare("SELECT b") }, `: SELECT b$`},
		"no stub in a transaction": {func(t *tbtest.TB) {
			tx, err := NewT(t, Config{}).DB().Begin()
			require.NoError(t, err)
			_, _ = tx.Exec("UPDATE a")
			require.NoError(t, tx.Rollback())
		}, `\tunexpected_test\.go:\d+: UPDATE a$`},
		"a stub without a result": {func(t *tbtest.TB) {
			db := NewT(t, Config{})
			db.On("UPDATE a")
			_, _ = db.DB().Exec("UPDATE a")
		}, `: UPDATE a: sql "UPDATE a": the stub has no result`},
		"not expected": {func(t *tbtest.TB) {
			db := NewT(t, Config{})
			db.Expect().ExpectExec("UPDATE a").WillReturnResult(sqlmock.NewResult(0, 1))
			_, err := db.DB().Exec("UPDATE a")
			require.NoError(t, err)
			_, _ = db.DB().Exec("UPDATE a")
		}, `: UPDATE a: all expectations were already fulfilled`},
		"other arguments": {func(t *tbtest.TB) {
			db := NewT(t, Config{})
			db.Expect().ExpectExec("UPDATE a").WithArgs(1).WillReturnResult(sqlmock.NewResult(0, 1))
			_, _ = db.DB().Exec("UPDATE a", 2)
			_, err := db.DB().Exec("UPDATE a", 1)
			require.NoError(t, err)
		}, `: UPDATE a: ExecQuery 'UPDATE a', arguments do not match: .*expected \[int64 - 1\]`},
		"not expected to begin": {func(t *tbtest.TB) {
			db := NewT(t, Config{})
			db.Expect()
			_, _ = db.DB().Begin()
		}, `: begin: all expectations were already fulfilled, call to database transaction Begin was not expected`},
		"not expected to roll back": {func(t *tbtest.TB) {
			db := NewT(t, Config{})
			db.Expect().ExpectBegin()
			tx, err := db.DB().Begin()
			require.NoError(t, err)
			_ = tx.Rollback()
		}, `: rollback: all expectations were already fulfilled`},
		"not expected to ping": {func(t *tbtest.TB) {
			db := NewT(t, Config{MonitorPings: true})
			db.Expect()
			_ = db.DB().Ping()
		}, `: ping: all expectations were already fulfilled`},
		"Setup": {func(t *tbtest.TB) {
			_, _ = NewT(t, Config{Setup: func(int, sqlmock.Sqlmock) {}}).DB().Exec("UPDATE a")
		}, `: UPDATE a: all expectations were already fulfilled`},
		"allowed": {func(t *tbtest.TB) {
			_, _ = NewT(t, Config{AllowUnexpected: true}).DB().Exec("UPDATE a")
		}, ""},
		"scripted errors are expected": {func(t *tbtest.TB) {
			db := NewT(t, Config{})
			mock := db.Expect()
			mock.ExpectExec("UPDATE a").WillReturnError(scripted)
			mock.ExpectExec("UPDATE a").WillReturnError(scripted)
			mock.ExpectBegin().WillReturnError(scripted)
			mock.ExpectPrepare("SELECT a").WillReturnError(scripted)
			for range 2 {
				_, err := db.DB().Exec("UPDATE a")
				require.Equal(t, scripted, err)
			}
			_, err := db.DB().Begin()
			require.Equal(t, scripted, err)
			_, err = db.DB().Prepare("SELECT a")
			require.Equal(t, scripted, err)
		}, ""},
		"any order": {func(t *tbtest.TB) {
			db := NewT(t, Config{})
			mock := db.Expect()
			mock.MatchExpectationsInOrder(false)
			mock.ExpectExec("UPDATE a").WillReturnResult(sqlmock.NewResult(0, 1))
			mock.ExpectExec("UPDATE b").WillReturnError(scripted)
			_, err := db.DB().Exec("UPDATE b")
			require.Equal(t, scripted, err)
			_, err = db.DB().Exec("UPDATE a")
			require.NoError(t, err)
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			rec := tbtest.Run("t", c.body)
			if c.want == "" {
				require.Empty(t, rec.Errors())
				return
			}
			require.Regexp(t, `(?s)^sql: \d unexpected calls?\. Each fails the test, .*`+c.want, rec.Errors())
		})
	}
}

// The count of what is expected is read out of go-sqlmock: its fields are known.
func TestExpectationsCanBeCounted(t *testing.T) {
	require.True(t, readable())
	require.Equal(t, -1, fulfilled(nil))
	require.Equal(t, -1, fulfilled(struct{ sqlmock.Sqlmock }{}))
}

// Times are the same if they are the same instant, to the microsecond.
func TestTimesAreComparedAsInstants(t *testing.T) {
	now := time.Now() // with a monotonic part, and in the local zone
	east := time.FixedZone("east", 3600)
	whole := now.Truncate(time.Millisecond)
	for name, pair := range map[string][2]time.Time{
		"itself":                 {now, now},
		"another location":       {now, now.In(east)},
		"UTC":                    {now, now.UTC()},
		"no monotonic part":      {now, now.Round(0)},
		"a nanosecond later":     {whole, whole.Add(1)},
		"a nanosecond before":    {whole, whole.Add(-1)},
		"less than a µs":         {whole, whole.Add(400)},
		"the other way":          {whole.Add(400), whole.In(east)},
		"before the year 1":      {time.Time{}, time.Time{}.In(east)},
		"further than a span is": {time.Unix(1<<40, 0), time.Unix(1<<40, 1).UTC()},
	} {
		t.Run(name, func(t *testing.T) {
			db := NewT(t, Config{})
			db.On("INSERT").WithArgs(pair[0], 7).Result(sqlmock.NewResult(1, 1))
			_, err := db.DB().Exec("INSERT", pair[1], 7)
			require.NoError(t, err)

			strict := NewT(t, Config{})
			strict.Expect().ExpectExec("INSERT").WithArgs(pair[0], 7).WillReturnResult(sqlmock.NewResult(1, 1))
			_, err = strict.DB().Exec("INSERT", pair[1], 7)
			require.NoError(t, err)
		})
	}
}

func TestTimesThatDiffer(t *testing.T) {
	at := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	for _, apart := range []time.Duration{time.Microsecond, -time.Microsecond, time.Second, time.Hour} {
		db := NewT(t, Config{AllowUnexpected: true})
		db.On("INSERT").WithArgs(at).Result(sqlmock.NewResult(1, 1))
		_, err := db.DB().Exec("INSERT", at.Add(apart).In(time.FixedZone("east", 3600)))
		require.ErrorContains(t, err, "1 = time.Time "+at.Add(apart).Format("2006-01-02T15:04:05.000000000Z"))
		require.ErrorContains(t, err, "INSERT (wants argument 1 to be time.Time 2026-05-01T12:00:00.000000000Z)")

		strict := NewT(t, Config{AllowUnexpected: true})
		strict.Expect().ExpectExec("INSERT").WithArgs(at).WillReturnResult(sqlmock.NewResult(1, 1))
		_, err = strict.DB().Exec("INSERT", at.Add(apart))
		require.ErrorContains(t, err, "arguments do not match")
		_, err = strict.DB().Exec("INSERT", at.Add(1))
		require.NoError(t, err)
	}
}

// What decides by itself, and what computes an answer, gets the time as it is.
func TestMatchersGetTheTimeAsItIs(t *testing.T) {
	at := time.Unix(1, 123456789)
	var got []any
	db := NewT(t, Config{})
	db.Expect().ExpectExec("INSERT").WithArgs(argument(func(v any) bool { got = append(got, v); return true })).WillReturnResult(sqlmock.NewResult(1, 1))
	_, err := db.DB().ExecContext(context.Background(), "INSERT", at)
	require.NoError(t, err)
	require.Len(t, got, 1)
	require.True(t, at.Equal(got[0].(time.Time)))
}

type argument func(any) bool

func (f argument) Match(v driver.Value) bool { return f(v) }
