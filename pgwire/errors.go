package pgwire

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/go-qtests/qtests/qtests/pool/fake"
)

// lost reports whether an error is the end of the connection: a client hears nothing else then.
func lost(err error) bool {
	return errors.Is(err, fake.ErrOutage) || errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone)
}

// problem returns an error as PostgreSQL sends it.
func problem(err error) *pgproto3.ErrorResponse {
	var whole *pgconn.PgError
	if errors.As(err, &whole) {
		return respond(whole)
	}
	p := &pgconn.PgError{Severity: "ERROR", Code: "XX000", Message: err.Error()}
	var state interface{ SQLState() string }
	switch {
	case errors.As(err, &state):
		p.Code = state.SQLState()
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		p.Code, p.Message = "57014", "canceling statement due to user request"
	case lost(err):
		p.Code = "57P03" // cannot connect now
	}
	return respond(p)
}

func respond(e *pgconn.PgError) *pgproto3.ErrorResponse {
	severity := e.Severity
	if severity == "" {
		severity = "ERROR"
	}
	return &pgproto3.ErrorResponse{
		Severity: severity, SeverityUnlocalized: severity, Code: e.Code, Message: e.Message, Detail: e.Detail, Hint: e.Hint,
		Position: e.Position, InternalPosition: e.InternalPosition, InternalQuery: e.InternalQuery, Where: e.Where,
		SchemaName: e.SchemaName, TableName: e.TableName, ColumnName: e.ColumnName, DataTypeName: e.DataTypeName,
		ConstraintName: e.ConstraintName, File: e.File, Line: e.Line, Routine: e.Routine,
	}
}
