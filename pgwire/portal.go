package pgwire

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/go-qtests/qtests/qtests/pool/fakesql"
)

// A portal is a statement with its arguments, and how far its rows have been sent.
type portal struct {
	statement *statement
	args      []any
	formats   []int16 // of the columns
	rows      *sql.Rows
	cancel    context.CancelFunc
	fields    []pgproto3.FieldDescription
	next      []any // the row that was read to know the types, nil if there is none
	sent      int64 // by the last Execute
}

// A target runs statements: a connection, or its transaction.
type target interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

func (c *session) target() target {
	if c.tx != nil {
		return c.tx
	}
	return c.db
}

// bind returns a portal with the arguments of a message.
func (c *session) bind(s *statement, m *pgproto3.Bind) (*portal, error) {
	if len(m.Parameters) != len(s.params) {
		return nil, refusal("08P01", fmt.Sprintf("bind message supplies %d parameters, but the statement requires %d", len(m.Parameters), len(s.params)))
	}
	p := &portal{statement: s, formats: append([]int16(nil), m.ResultFormatCodes...)}
	for i, text := range m.Parameters {
		v, err := c.argument(s.params[i], formatOf(m.ParameterFormatCodes, i), text)
		if err != nil {
			return nil, refusal("22P03", fmt.Sprintf("parameter %d: %v", i+1, err))
		}
		p.args = append(p.args, v)
	}
	return p, nil
}

// formatOf returns the format of a value: none given means text, and one is for all.
func formatOf(formats []int16, i int) int16 {
	switch {
	case len(formats) == 1:
		return formats[0]
	case i < len(formats):
		return formats[i]
	}
	return pgtype.TextFormatCode
}

// argument returns a parameter as the fake gets it.
func (c *session) argument(oid uint32, format int16, text []byte) (any, error) {
	t, known := c.types.TypeForOID(oid)
	switch {
	case text == nil:
		return nil, nil
	case known && (oid == pgtype.JSONOID || oid == pgtype.JSONBOID) && format == pgtype.TextFormatCode:
		return string(text), nil
	case known:
		return t.Codec.DecodeDatabaseSQLValue(c.types, oid, format, text)
	case format == pgtype.TextFormatCode:
		return fakesql.Untyped(text), nil
	}
	return nil, fmt.Errorf("a binary value of type %d", oid)
}

// open asks the fake, unless it was asked before, and reads the first row.
func (p *portal) open(c *session) error {
	if p.rows != nil {
		return nil
	}
	ctx, cancel := c.begin()
	rows, err := c.target().QueryContext(ctx, p.statement.text, p.args...)
	if err != nil {
		cancel()
		return err
	}
	p.rows, p.cancel = rows, cancel
	columns, err := rows.ColumnTypes()
	if err != nil {
		return err
	}
	if err := p.read(len(columns)); err != nil {
		return err
	}
	for i, column := range columns {
		oid := oidOf(c.types, column.DatabaseTypeName())
		if oid == 0 && p.next != nil {
			oid = oidOfValue(p.next[i])
		}
		p.fields = append(p.fields, pgproto3.FieldDescription{
			Name: []byte(column.Name()), DataTypeOID: oid, DataTypeSize: -1, TypeModifier: -1, Format: formatOf(p.formats, i),
		})
	}
	return nil
}

// read reads the next row.
func (p *portal) read(columns int) error {
	p.next = nil
	if !p.rows.Next() {
		return p.rows.Err()
	}
	row, into := make([]any, columns), make([]any, columns)
	for i := range row {
		into[i] = &row[i]
	}
	if err := p.rows.Scan(into...); err != nil {
		return err
	}
	p.next = row
	return nil
}

// send sends rows, up to a number if that is not 0, and reports whether it has stopped there: PostgreSQL does not look whether
// more would come either.
func (p *portal) send(c *session, limit uint32) (suspended bool, err error) {
	p.sent = 0
	for p.next != nil {
		row := &pgproto3.DataRow{}
		for i, v := range p.next {
			text, err := c.encode(p.fields[i], v)
			if err != nil {
				return false, refusal("XX000", fmt.Sprintf("column %s: %v", p.fields[i].Name, err))
			}
			row.Values = append(row.Values, text)
		}
		c.backend.Send(row)
		p.sent++
		if err := p.read(len(p.fields)); err != nil {
			return false, err
		}
		if p.sent == int64(limit) {
			return true, nil
		}
	}
	return false, nil
}

// close ends what the portal has of the fake.
func (p *portal) close() {
	if p.rows != nil {
		_ = p.rows.Close() // what it has to say was said by Err
		p.cancel()
	}
}

func (c *session) closePortals() {
	for _, p := range c.portals {
		p.close()
	}
	clear(c.portals)
}
