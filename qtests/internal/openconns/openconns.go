// Package openconns counts the connections of a server that are open.
package openconns

import (
	"cmp"
	"context"
	"maps"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/benbjohnson/clock"
)

// A Count says when the last connection's goroutine has ended. The zero value has no connection. It is safe for
// concurrent use; one goroutine waits.
type Count struct {
	mu struct {
		sync.Mutex
		open  map[net.Conn]uint64 // with how many there had been
		all   uint64
		empty chan struct{} // made by the one that waits, closed when open is empty
	}
}

// Track is the ConnState of an http.Server.
func (c *Count) Track(conn net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		c.add(conn)
	case http.StateClosed, http.StateHijacked:
		c.remove(conn)
	}
}

func (c *Count) add(conn net.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.mu.open == nil {
		c.mu.open = map[net.Conn]uint64{}
	}
	c.mu.all++
	c.mu.open[conn] = c.mu.all
}

func (c *Count) remove(conn net.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.mu.open, conn)
	if len(c.mu.open) == 0 && c.mu.empty != nil {
		close(c.mu.empty)
		c.mu.empty = nil
	}
}

// Close closes the connections that are open, in the order in which they were opened. http.Server.Close takes them
// from a map, where no seed decides the order.
func (c *Count) Close() {
	for _, conn := range c.inOrder() {
		_ = conn.Close()
	}
}

func (c *Count) inOrder() []net.Conn {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.SortedFunc(maps.Keys(c.mu.open), func(a, b net.Conn) int { return cmp.Compare(c.mu.open[a], c.mu.open[b]) })
}

// Wait waits until no connection is open, but no longer than limit. It sets its timer if there ever was a connection,
// and not only if one is open still: how far their goroutines have come is up to the scheduler, and two runs with one
// seed must not differ by a timer.
func (c *Count) Wait(clk clock.Clock, limit time.Duration) {
	if !c.any() {
		return
	}
	ctx, cancel := clk.WithTimeout(context.Background(), limit)
	defer cancel()
	empty := c.last()
	if empty == nil {
		return
	}
	select {
	case <-empty:
	case <-ctx.Done():
	}
}

func (c *Count) any() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.mu.all > 0
}

// last returns a channel that is closed when the last connection closes, or nil where none is open.
func (c *Count) last() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.mu.open) == 0 {
		return nil
	}
	c.mu.empty = make(chan struct{})
	return c.mu.empty
}
