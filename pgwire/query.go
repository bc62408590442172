package pgwire

import (
	"database/sql"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
)

// simple answers the statements of one message, up to the first that fails, and reports whether the connection goes on.
func (c *session) simple(text string) bool {
	all := split(text)
	if len(all) == 0 {
		c.backend.Send(&pgproto3.EmptyQueryResponse{})
	}
	for _, one := range all {
		p := &portal{statement: parse(c.types, one, nil)}
		err := c.execute(p, 0, true)
		p.close()
		if err != nil {
			return c.fail(err)
		}
	}
	return true
}

// execute does what a portal says, up to a number of rows if that is not 0, and tells the client.
func (c *session) execute(p *portal, limit uint32, describe bool) error {
	if done, err := c.control(p.statement); done || err != nil {
		return err
	}
	if !p.statement.rows {
		ctx, cancel := c.begin()
		defer cancel()
		result, err := c.target().ExecContext(ctx, p.statement.text, p.args...)
		if err != nil {
			return err
		}
		n, _ := result.RowsAffected() // 0 where the stub has none
		c.complete(p.statement.tag(n))
		return nil
	}
	if err := p.open(c); err != nil {
		return err
	}
	if describe {
		c.backend.Send(&pgproto3.RowDescription{Fields: p.fields})
	}
	suspended, err := p.send(c, limit)
	if err != nil {
		return err
	}
	if suspended {
		c.backend.Send(&pgproto3.PortalSuspended{})
		return nil
	}
	c.complete(p.statement.tag(p.sent))
	return nil
}

func (c *session) complete(tag string) {
	c.backend.Send(&pgproto3.CommandComplete{CommandTag: []byte(tag)})
}

// refusal is an error of the server itself.
func refusal(code, message string) error {
	return &pgconn.PgError{Severity: "ERROR", Code: code, Message: message}
}

// control does what concerns the session and not the fake's stubs, and reports whether that was all.
func (c *session) control(s *statement) (done bool, err error) {
	word, second := s.word(0), s.word(1)
	back := word == "ROLLBACK" && second == "TO"
	if c.failed && !back && word != "COMMIT" && word != "END" && word != "ROLLBACK" && word != "ABORT" {
		return true, refusal("25P02", "current transaction is aborted, commands ignored until end of transaction block")
	}
	switch word {
	case "BEGIN", "START":
		err = c.beginTx(s)
	case "COMMIT", "END":
		err = c.endTx(!c.failed)
	case "ROLLBACK", "ABORT":
		if back {
			c.failed = false
			c.complete("ROLLBACK")
		} else {
			err = c.endTx(false)
		}
	case "SET", "RESET", "DISCARD", "SAVEPOINT", "RELEASE":
		c.complete(word)
	case "DEALLOCATE":
		c.deallocate(s)
	case "COPY", "LISTEN", "UNLISTEN", "NOTIFY", "PREPARE", "EXECUTE":
		err = refusal("0A000", word+" is not supported by pgwire")
	default:
		return false, nil
	}
	return true, err
}

func (c *session) deallocate(s *statement) {
	fields := strings.Fields(strings.TrimRight(s.text, "; \t\n"))
	if name := fields[len(fields)-1]; strings.EqualFold(name, "ALL") {
		clear(c.statements)
	} else {
		delete(c.statements, strings.Trim(name, `"`))
	}
	c.complete("DEALLOCATE")
}

func (c *session) beginTx(s *statement) error {
	if c.tx == nil {
		upper := strings.ToUpper(s.text)
		opts := &sql.TxOptions{ReadOnly: strings.Contains(upper, "READ ONLY")}
		for text, level := range map[string]sql.IsolationLevel{
			"SERIALIZABLE": sql.LevelSerializable, "REPEATABLE READ": sql.LevelRepeatableRead,
			"READ COMMITTED": sql.LevelReadCommitted, "READ UNCOMMITTED": sql.LevelReadUncommitted,
		} {
			if strings.Contains(upper, text) {
				opts.Isolation = level
			}
		}
		tx, err := c.db.BeginTx(c.ctx, opts)
		if err != nil {
			return err
		}
		c.tx = tx
	}
	c.complete("BEGIN")
	return nil
}

// endTx ends the transaction, if there is one. After a statement has failed a commit is a rollback, and says so.
func (c *session) endTx(commit bool) (err error) {
	tx := c.tx
	c.tx, c.failed = nil, false
	tag := "ROLLBACK"
	switch {
	case commit:
		tag = "COMMIT"
		if tx != nil {
			err = tx.Commit()
		}
	case tx != nil:
		err = tx.Rollback()
	}
	if err == nil {
		c.complete(tag)
	}
	return err
}
