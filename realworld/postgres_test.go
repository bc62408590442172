package realworld

import (
	"context"
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/go-qtests/qtests/qtests"
)

// A pool of connections to a server, which the outage breaks; requests have a timeout
// which is sometimes shorter than the query.
func TestPgxPool(t *testing.T) {
	outcome(t, func(q *qtests.T, log *Log) {
		listener := qtests.Listen(q.Clock(), "postgres.memory:5432")
		var conns sync.WaitGroup
		conns.Go(func() { servePostgres(listener, &conns) })
		pool, err := newPool(q, newCable(q, log, listener.Dial))
		if err != nil {
			q.Error(err)
			return
		}
		load(log, func(i int) string {
			ctx, cancel := context.WithTimeout(q.Context(), time.Duration(50+i%100)*time.Millisecond)
			defer cancel()
			var answer string
			err := pool.QueryRow(ctx, fmt.Sprintf("select %d", i)).Scan(&answer)
			return fmt.Sprint(answer, " ", err)
		})
		pool.Close()
		time.Sleep(time.Minute) // until the connections that were given up are closed
		_ = listener.Close()
		conns.Wait()
	})
}

func newPool(q *qtests.T, network *cable) (*pgxpool.Pool, error) {
	config, err := pgxpool.ParseConfig("postgres://user@postgres.memory/db?sslmode=disable")
	if err != nil {
		return nil, err
	}
	config.MaxConns = 4
	config.MinConns = 1
	config.MaxConnLifetime = 30 * time.Second
	config.MaxConnLifetimeJitter = 10 * time.Second
	config.MaxConnIdleTime = 5 * time.Second
	config.HealthCheckPeriod = 3 * time.Second
	config.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol
	config.ConnConfig.LookupFunc = func(_ context.Context, host string) ([]string, error) { return []string{host}, nil }
	config.ConnConfig.DialFunc = func(ctx context.Context, _, _ string) (net.Conn, error) { return network.Dial(ctx) }
	return pgxpool.NewWithConfig(q.Context(), config)
}

func servePostgres(listener net.Listener, conns *sync.WaitGroup) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		conns.Go(func() {
			defer conn.Close()
			_ = serveSession(conn)
		})
	}
}

// serveSession answers every query with its own text.
func serveSession(conn net.Conn) error {
	backend := pgproto3.NewBackend(conn, conn)
	if _, err := backend.ReceiveStartupMessage(); err != nil {
		return err
	}
	backend.Send(&pgproto3.AuthenticationOk{})
	backend.Send(&pgproto3.ParameterStatus{Name: "standard_conforming_strings", Value: "on"})
	backend.Send(&pgproto3.ParameterStatus{Name: "client_encoding", Value: "UTF8"})
	for {
		backend.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'})
		if err := backend.Flush(); err != nil {
			return err
		}
		message, err := backend.Receive()
		if err != nil {
			return err
		}
		query, ok := message.(*pgproto3.Query)
		if !ok {
			return nil
		}
		const text = 25 // the type's number
		answer := []byte(query.String)
		_ = work(context.Background())
		backend.Send(&pgproto3.RowDescription{Fields: []pgproto3.FieldDescription{{Name: []byte("answer"), DataTypeOID: text, DataTypeSize: -1, TypeModifier: -1}}})
		backend.Send(&pgproto3.DataRow{Values: [][]byte{answer}})
		backend.Send(&pgproto3.CommandComplete{CommandTag: []byte("SELECT 1")})
	}
}
