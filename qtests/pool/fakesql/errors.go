package fakesql

import "fmt"

// A ServerError is an error as a database server reports it.
type ServerError struct {
	State   string // SQLSTATE, five characters
	Message string
}

func (e *ServerError) Error() string { return fmt.Sprintf("%s (SQLSTATE %s)", e.Message, e.State) }

// SQLState returns the SQLSTATE, under the name that PostgreSQL's drivers use.
func (e *ServerError) SQLState() string { return e.State }

var (
	// ErrDeadlock is what a server says to the victim of a deadlock: 40P01.
	ErrDeadlock error = &ServerError{"40P01", "deadlock detected"}
	// ErrSerialization is a transaction that must be tried again: 40001.
	ErrSerialization error = &ServerError{"40001", "could not serialize access"}
)
