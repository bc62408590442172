package pgwire

import (
	"errors"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"
)

// TestProblem: an error of PostgreSQL arrives as it is, and as an ERROR where it does not say how bad it is.
func TestProblem(t *testing.T) {
	for _, c := range []struct {
		err            error
		severity, code string
	}{
		{&pgconn.PgError{Code: "23505"}, "ERROR", "23505"},
		{&pgconn.PgError{Severity: "FATAL", Code: "57P01"}, "FATAL", "57P01"},
		{errors.New("broken"), "ERROR", "XX000"},
	} {
		p := problem(c.err)
		require.Equal(t, []string{c.severity, c.severity, c.code}, []string{p.Severity, p.SeverityUnlocalized, p.Code})
	}
}
