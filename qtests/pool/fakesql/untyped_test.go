package fakesql_test

import (
	"testing"
	"time"

	"github.com/DATA-DOG/go-sqlmock"
	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/pool/fakesql"
)

func TestUntypedArguments(t *testing.T) {
	noon := time.Date(2024, 5, 6, 12, 0, 0, 123_456_000, time.UTC)
	for _, c := range []struct {
		want any
		text fakesql.Untyped
		same bool
	}{
		{int64(42), "42", true}, {int64(42), "43", false}, {int64(42), "x", false}, {"42", "42", true}, {"42", "42 ", false},
		{1.5, "1.5", true}, {1.5, "1.50", true}, {1.5, "2", false}, {true, "t", true}, {false, "false", true}, {true, "f", false},
		{[]byte("ab"), `\x6162`, true}, {[]byte("ab"), "ab", false},
		{noon, "2024-05-06 12:00:00.123456Z", true}, {noon, "2024-05-06 14:00:00.123456+02", true},
		{noon, "2024-05-06T12:00:00.123456Z", true}, {noon, "2024-05-06 12:00:00", false}, {noon.Truncate(24 * time.Hour), "2024-05-06", true},
		{nil, "", false}, {sqlmock.AnyArg(), "x", true},
	} {
		db := fakesql.NewT(t, fakesql.Config{AllowUnexpected: true})
		db.On("UPDATE t SET v = $1").WithArgs(c.want).Result(sqlmock.NewResult(0, 1))
		_, err := db.DB().ExecContext(t.Context(), "UPDATE t SET v = $1", c.text)
		require.Equal(t, c.same, err == nil, "%#v and %q: %v", c.want, c.text, err)
	}
}

// go-sqlmock and functions of the user see the text.
func TestUntypedElsewhere(t *testing.T) {
	db := fakesql.NewT(t, fakesql.Config{})
	db.Expect().ExpectExec("UPDATE").WithArgs("42", int64(1)).WillReturnResult(sqlmock.NewResult(0, 1))
	_, err := db.DB().ExecContext(t.Context(), "UPDATE", fakesql.Untyped("42"), 1)
	require.NoError(t, err)
	stub := db.On("DELETE").Result(sqlmock.NewResult(0, 1)).Capture(1)
	_, err = db.DB().ExecContext(t.Context(), "DELETE", fakesql.Untyped("7"))
	require.NoError(t, err)
	require.Equal(t, fakesql.Untyped("7"), stub.Captured()[0].Args[0].Value)
}
