package fakesql

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/go-qtests/qtests/qtests/internal/bubble"
	"github.com/go-qtests/qtests/qtests/pool/internal/fault"
)

// connTarget limits a fault to the connection with that number.
type connTarget int

// A conn is one pooled connection.
type conn struct {
	id     int
	target fault.Target // connTarget(id), boxed once
	mock   *mocked

	dead   atomic.Bool   // decided by Kill, at once
	killed chan struct{} // closed when it is this connection's turn to notice

	// prepared has the statements that have been prepared here: a round trip for each
	// connection, not for each use. It belongs to the lease.
	prepared map[string]struct{}
}

// maxPrepared is how many statements a connection remembers.
const maxPrepared = 256

// openConn is the pool's New.
func (db *Fake) openConn(ctx context.Context) (*conn, error) {
	call := db.ops.connect.call("connect")
	if err := db.engine.Dial(ctx, &call); err != nil {
		return nil, err
	}
	var id int
	db.locked(func(s *state) {
		s.lastID++
		id = s.lastID
	})
	c := &conn{id: id, target: connTarget(id), killed: make(chan struct{})}
	if s := db.mock.Load(); s != nil {
		c.mock = s.mocked
	} else if err := db.mockOf(c); err != nil {
		return nil, fmt.Errorf("%s: connect: %w", db.common.Name, err)
	}
	db.locked(func(s *state) {
		i, _ := slices.BinarySearchFunc(s.open, id, func(c *conn, id int) int { return c.id - id })
		s.open = slices.Insert(s.open, i, c)
	})
	return c, nil
}

// mockOf gives a connection a go-sqlmock of its own.
func (db *Fake) mockOf(c *conn) error {
	under, mock, err := newMock(db.mocks)
	if err != nil {
		return err
	}
	c.mock = under
	if db.cfg.Setup != nil {
		db.cfg.Setup(c.id, mock)
	}
	return nil
}

// forget is the pool's Destroy.
func (db *Fake) forget(c *conn) {
	db.locked(func(s *state) {
		s.open = slices.DeleteFunc(s.open, func(o *conn) bool { return o == c })
	})
}

func (db *Fake) kill(n int) {
	var wakes []func()
	db.locked(func(s *state) {
		for _, c := range s.open {
			if len(wakes) < n && c.dead.CompareAndSwap(false, true) {
				wakes = append(wakes, func() { close(c.killed) })
			}
		}
	})
	bubble.InTurn(db.common.Clock, wakes...)
}
