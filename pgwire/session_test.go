package pgwire_test

import (
	"fmt"
	"io"
	"testing"

	"github.com/DATA-DOG/go-sqlmock"
	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/pgwire"
	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/pool/fakesql"
)

// A wireClient speaks the protocol itself, for what pgx never sends.
type wireClient struct {
	*qtests.T
	*pgproto3.Frontend
}

// speak lets a client that has logged in, behind a refused request for TLS, send what it likes.
func speak(t *testing.T, body func(c wireClient, db *fakesql.Fake)) {
	t.Helper()
	qtests.Run(t, func(q *qtests.T) {
		db := fakesql.NewT(q, fakesql.Config{})
		server := pgwire.NewT(q, db)
		conn, err := server.Dial(q.Context(), "tcp", "")
		require.NoError(q, err)
		defer func() { require.NoError(q, conn.Close()) }()
		c := wireClient{q, pgproto3.NewFrontend(conn, conn)}
		c.Send(&pgproto3.SSLRequest{})
		require.NoError(q, c.Flush())
		answer := make([]byte, 1)
		_, err = io.ReadFull(conn, answer)
		require.NoError(q, err)
		require.Equal(q, "N", string(answer))
		c.Send(&pgproto3.StartupMessage{ProtocolVersion: pgproto3.ProtocolVersion30, Parameters: map[string]string{"user": "test"}})
		require.NoError(q, c.Flush())
		for range 9 {
			_, err := c.Receive()
			require.NoError(q, err)
		}
		require.Equal(q, []string{"ready I"}, c.receive(1))
		body(c, db)
	})
}

// send sends messages, and receive returns what comes next.
func (c wireClient) send(all ...pgproto3.FrontendMessage) {
	c.Helper()
	for _, m := range all {
		c.Send(m)
	}
	require.NoError(c, c.Flush())
}

func (c wireClient) receive(n int) (all []string) {
	c.Helper()
	for range n {
		message, err := c.Receive()
		require.NoError(c, err)
		switch m := message.(type) {
		case *pgproto3.DataRow:
			all = append(all, fmt.Sprintf("row %s", m.Values))
		case *pgproto3.CommandComplete:
			all = append(all, "complete "+string(m.CommandTag))
		case *pgproto3.ReadyForQuery:
			all = append(all, "ready "+string(m.TxStatus))
		case *pgproto3.ErrorResponse:
			all = append(all, m.Code+" "+m.Message)
		default:
			all = append(all, fmt.Sprintf("%T", m)[len("*pgproto3."):])
		}
	}
	return all
}

// TestRowsByParts: a portal stops behind as many rows as it is asked for, and goes on from there.
func TestRowsByParts(t *testing.T) {
	speak(t, func(c wireClient, db *fakesql.Fake) {
		db.On("SELECT n FROM t").Rows(sqlmock.NewRows([]string{"n"}).AddRow("1").AddRow("2").AddRow("3").AddRow("4"))
		c.send(&pgproto3.Parse{Query: "SELECT n FROM t"}, &pgproto3.Flush{})
		require.Equal(c, []string{"ParseComplete"}, c.receive(1), "without a Sync")
		c.send(&pgproto3.Bind{DestinationPortal: "p"}, &pgproto3.Execute{Portal: "p", MaxRows: 3}, &pgproto3.Flush{})
		require.Equal(c, []string{"BindComplete", "row [1]", "row [2]", "row [3]", "PortalSuspended"}, c.receive(5))
		c.send(&pgproto3.Execute{Portal: "p", MaxRows: 1}, &pgproto3.Execute{Portal: "p", MaxRows: 1}, &pgproto3.Flush{})
		require.Equal(c, []string{"row [4]", "PortalSuspended", "complete SELECT 0"}, c.receive(3))
		c.send(&pgproto3.Bind{DestinationPortal: "q"}, &pgproto3.Execute{Portal: "q", MaxRows: 1}, &pgproto3.Execute{Portal: "q"}, &pgproto3.Sync{})
		require.Equal(c, []string{"BindComplete", "row [1]", "PortalSuspended", "row [2]", "row [3]", "row [4]", "complete SELECT 3", "ready I"}, c.receive(8))
	})
}

// TestWrongParameter names it by its place, from 1, as PostgreSQL does.
func TestWrongParameter(t *testing.T) {
	speak(t, func(c wireClient, _ *fakesql.Fake) {
		c.send(&pgproto3.Parse{Query: "SELECT $1, $2", ParameterOIDs: []uint32{pgtype.TextOID, pgtype.Int8OID}},
			&pgproto3.Bind{Parameters: [][]byte{[]byte("x"), []byte("seven")}}, &pgproto3.Sync{})
		all := c.receive(3)
		require.Equal(c, []string{"ParseComplete", "ready I"}, []string{all[0], all[2]})
		require.Regexp(c, "^22P03 parameter 2: ", all[1])
	})
}

// TestDeallocate forgets one prepared statement, or all of them, in each way to write it.
func TestDeallocate(t *testing.T) {
	for query, gone := range map[string][2]bool{
		"DEALLOCATE a": {true, false}, "DEALLOCATE PREPARE b;": {false, true}, `deallocate "a" ; `: {true, false}, "DEALLOCATE c": {false, false},
		"DEALLOCATE ALL": {true, true}, "deallocate prepare all": {true, true},
	} {
		speak(t, func(c wireClient, _ *fakesql.Fake) {
			c.send(&pgproto3.Parse{Name: "a", Query: "DELETE FROM a"}, &pgproto3.Parse{Name: "b", Query: "DELETE FROM b"}, &pgproto3.Sync{})
			c.receive(3)
			c.send(&pgproto3.Parse{Query: query}, &pgproto3.Bind{}, &pgproto3.Execute{}, &pgproto3.Sync{})
			require.Equal(c, "complete DEALLOCATE", c.receive(4)[2])
			for i, name := range []string{"a", "b"} {
				c.send(&pgproto3.Describe{ObjectType: 'S', Name: name}, &pgproto3.Flush{})
				want := "ParameterDescription"
				if gone[i] {
					want = fmt.Sprintf("26000 prepared statement %q does not exist", name)
				}
				require.Equal(c, want, c.receive(1)[0], query)
				c.send(&pgproto3.Sync{})
				for c.receive(1)[0] != "ready I" {
				}
			}
		})
	}
}

// TestLimits of what a client leaves open in a session.
func TestLimits(t *testing.T) {
	speak(t, func(c wireClient, _ *fakesql.Fake) {
		const statements, portals = 4096, 64
		parse := func(i int) *pgproto3.Parse { return &pgproto3.Parse{Name: fmt.Sprint("s", i), Query: "DELETE FROM a"} }
		bind := func(i int) *pgproto3.Bind {
			return &pgproto3.Bind{DestinationPortal: fmt.Sprint("p", i), PreparedStatement: "s0"}
		}
		for i := range statements {
			c.send(parse(i), &pgproto3.Flush{})
			require.Equal(c, []string{"ParseComplete"}, c.receive(1))
		}
		for i := range portals {
			c.send(bind(i), &pgproto3.Flush{})
			require.Equal(c, []string{"BindComplete"}, c.receive(1))
		}
		c.send(bind(0), &pgproto3.Flush{})
		require.Equal(c, []string{"BindComplete"}, c.receive(1), "in place of the first")
		c.send(bind(portals), &pgproto3.Sync{})
		require.Equal(c, []string{"54000 more than 64 portals", "ready I"}, c.receive(2))
		c.send(parse(statements), &pgproto3.Sync{})
		require.Equal(c, []string{"54000 more than 4096 prepared statements", "ready I"}, c.receive(2))
	})
}

// TestColumnsHaveNoSize: of a fake nobody knows how long a value may be, nor how many digits it has.
func TestColumnsHaveNoSize(t *testing.T) {
	run(t, fakesql.Config{}, nil, func(r rig) {
		r.db.On("SELECT n FROM t").Rows(sqlmock.NewRows([]string{"n"}).AddRow(int64(1)))
		rows, err := r.pool.Query(r.Context(), "SELECT n FROM t")
		require.NoError(r, err)
		column := rows.FieldDescriptions()[0]
		require.EqualValues(r, -1, column.DataTypeSize)
		require.EqualValues(r, -1, column.TypeModifier)
		rows.Close()
		require.NoError(r, rows.Err())
	})
}
