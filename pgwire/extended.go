package pgwire

import (
	"fmt"

	"github.com/jackc/pgx/v5/pgproto3"
)

// Limits of what a client may leave open in a session.
const (
	maxStatements = 4096
	maxPortals    = 64
)

// extended answers a message about prepared statements and portals.
func (c *session) extended(message pgproto3.FrontendMessage) error {
	switch m := message.(type) {
	case *pgproto3.Parse:
		return c.prepare(m)
	case *pgproto3.Bind:
		return c.bindPortal(m)
	case *pgproto3.Describe:
		return c.describe(m)
	case *pgproto3.Execute:
		return c.executePortal(m)
	case *pgproto3.Close:
		if m.ObjectType == 'S' {
			delete(c.statements, m.Name)
		} else {
			c.closePortal(m.Name)
		}
		c.backend.Send(&pgproto3.CloseComplete{})
		return nil
	}
	return refusal("08P01", fmt.Sprintf("a message of type %T has no place here", message))
}

func (c *session) prepare(m *pgproto3.Parse) error {
	if len(c.statements) >= maxStatements {
		return refusal("54000", fmt.Sprintf("more than %d prepared statements", maxStatements))
	}
	if m.Name != "" && c.statements[m.Name] != nil {
		return refusal("42P05", fmt.Sprintf("prepared statement %q already exists", m.Name))
	}
	if len(split(m.Query)) > 1 {
		return refusal("42601", "cannot insert multiple commands into a prepared statement")
	}
	c.statements[m.Name] = parse(c.types, m.Query, m.ParameterOIDs)
	c.backend.Send(&pgproto3.ParseComplete{})
	return nil
}

func (c *session) statement(name string) (*statement, error) {
	if s := c.statements[name]; s != nil {
		return s, nil
	}
	return nil, refusal("26000", fmt.Sprintf("prepared statement %q does not exist", name))
}

func (c *session) portal(name string) (*portal, error) {
	if p := c.portals[name]; p != nil {
		return p, nil
	}
	return nil, refusal("34000", fmt.Sprintf("portal %q does not exist", name))
}

func (c *session) closePortal(name string) {
	if p := c.portals[name]; p != nil {
		p.close()
		delete(c.portals, name)
	}
}

func (c *session) bindPortal(m *pgproto3.Bind) error {
	s, err := c.statement(m.PreparedStatement)
	if err != nil {
		return err
	}
	p, err := c.bind(s, m)
	if err != nil {
		return err
	}
	c.closePortal(m.DestinationPortal)
	if len(c.portals) >= maxPortals {
		return refusal("54000", fmt.Sprintf("more than %d portals", maxPortals))
	}
	c.portals[m.DestinationPortal] = p
	c.backend.Send(&pgproto3.BindComplete{})
	return nil
}

// describe tells the columns of a portal. Those of a statement are not known before its arguments are.
func (c *session) describe(m *pgproto3.Describe) error {
	if m.ObjectType == 'S' {
		s, err := c.statement(m.Name)
		if err != nil {
			return err
		}
		if copying.MatchString(s.text) { // pgx would panic without columns
			return refusal("0A000", "COPY is not supported by pgwire, nor a statement that CopyFrom prepares: "+s.text)
		}
		c.backend.Send(&pgproto3.ParameterDescription{ParameterOIDs: s.params})
		c.backend.Send(&pgproto3.NoData{})
		return nil
	}
	p, err := c.portal(m.Name)
	if err != nil {
		return err
	}
	if !p.statement.rows || c.failed {
		c.backend.Send(&pgproto3.NoData{})
		return nil
	}
	if err := p.open(c); err != nil {
		return err
	}
	c.backend.Send(&pgproto3.RowDescription{Fields: p.fields})
	return nil
}

// executePortal executes a portal.
func (c *session) executePortal(m *pgproto3.Execute) error {
	p, err := c.portal(m.Portal)
	if err != nil {
		return err
	}
	if len(split(p.statement.text)) == 0 {
		c.backend.Send(&pgproto3.EmptyQueryResponse{})
		return nil
	}
	return c.execute(p, m.MaxRows, false)
}
