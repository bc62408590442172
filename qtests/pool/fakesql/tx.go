package fakesql

import (
	"context"
	"database/sql/driver"
)

// Begin is never called: database/sql prefers BeginTx.
func (s *session) Begin() (driver.Tx, error) {
	return s.BeginTx(context.Background(), driver.TxOptions{})
}

// BeginTx accepts every isolation level. The context belongs to the transaction. The
// statements of the transaction end with it as well as with their own contexts, because
// database/sql rolls back under locks that the statements hold.
func (s *session) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	if err := s.operate(ctx, s.db.ops.begin, "begin"); err != nil {
		return nil, err
	}
	if s.db.mocksAnswer() {
		if _, err := s.conn.driver.(driver.ConnBeginTx).BeginTx(ctx, opts); err != nil {
			return nil, err
		}
	}
	s.tx = ctx
	s.hold(ctx)
	return tx{s}, nil
}

// tx is the open transaction of a session.
type tx struct{ session *session }

// Commit waits at most until the transaction's context ends.
func (t tx) Commit() error {
	s := t.session
	s.release()
	ctx := s.tx
	s.tx = nil
	if err := s.pass(ctx, s.db.ops.commit.call("commit")); err != nil {
		return err
	}
	if s.db.mocksAnswer() {
		return s.conn.driver.(driver.Tx).Commit()
	}
	return nil
}

// Rollback happens whatever its latency or the state of the context; only a
// scripted error or a lost connection makes it fail.
func (t tx) Rollback() error {
	s := t.session
	s.release()
	ctx := s.tx
	s.tx = nil
	if err := s.pass(ctx, s.db.ops.rollback.call("rollback")); err != nil && (ctx == nil || ctx.Err() == nil) {
		return err
	}
	if s.db.mocksAnswer() {
		return s.conn.driver.(driver.Tx).Rollback()
	}
	return nil
}

// Prepare is never called: database/sql prefers PrepareContext.
func (s *session) Prepare(query string) (driver.Stmt, error) {
	return s.PrepareContext(context.Background(), query)
}

// PrepareContext costs a round trip the first time that a connection prepares
// the query, as with drivers that keep their statements.
func (s *session) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	matching := s.db.matching(query)
	if len(matching) == 0 && !s.db.mocksAnswer() {
		return nil, s.db.unmatched(query, nil)
	}
	if err := s.prepare(ctx, query); err != nil {
		return nil, err
	}
	stmt := &stmt{session: s, query: query}
	if len(matching) == 0 {
		under, err := s.conn.driver.(driver.ConnPrepareContext).PrepareContext(ctx, query)
		if err != nil {
			return nil, err
		}
		stmt.under = under
	}
	return stmt, nil
}

// prepare prepares a query on the session's connection, unless that has been done. A
// statement may be used on other connections, too. It is prepared on each of them.
func (s *session) prepare(ctx context.Context, query string) error {
	if err := s.take(ctx); err != nil {
		return err
	}
	if _, done := s.conn.prepared[query]; done {
		return nil
	}
	if err := s.pass(ctx, s.db.ops.prepare.call("prepare")); err != nil {
		return err
	}
	if s.conn.prepared == nil || len(s.conn.prepared) >= maxPrepared {
		s.conn.prepared = map[string]struct{}{}
	}
	s.conn.prepared[query] = struct{}{}
	return nil
}

// stmt is a prepared statement. It works through its session.
type stmt struct {
	session *session
	query   string
	under   driver.Stmt // go-sqlmock's, if the statement is its own
}

// Close does not wait: database/sql may hold its own lock.
func (st *stmt) Close() error {
	if st.under != nil {
		return st.under.Close()
	}
	return nil
}

// NumInput leaves the count of the arguments to the stubs.
func (st *stmt) NumInput() int { return -1 }

// Exec is never called: database/sql prefers ExecContext.
func (st *stmt) Exec(args []driver.Value) (driver.Result, error) {
	return st.ExecContext(context.Background(), named(args))
}

// Query is never called: database/sql prefers QueryContext.
func (st *stmt) Query(args []driver.Value) (driver.Rows, error) {
	return st.QueryContext(context.Background(), named(args))
}

func (st *stmt) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	if err := st.session.prepare(ctx, st.query); err != nil {
		return nil, err
	}
	return st.session.ExecContext(ctx, st.query, args)
}

func (st *stmt) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	if err := st.session.prepare(ctx, st.query); err != nil {
		return nil, err
	}
	return st.session.QueryContext(ctx, st.query, args)
}

func named(args []driver.Value) []driver.NamedValue {
	out := make([]driver.NamedValue, len(args))
	for i, v := range args {
		out[i] = driver.NamedValue{Ordinal: i + 1, Value: v}
	}
	return out
}
