package fleet

import (
	"context"
	"net"
	"slices"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/fleet/route"
)

// Dialer returns a function that connects to an instance, chosen by the balancer: the dialer of gRPC, or the
// DialContext of an http.Transport. network and addr do not matter. A connection stays with its instance: it is
// balanced, and counted in [Stats].Conns, as one request that lasts as long as it does. It breaks off when the process ends.
//
// Behind it is the Listener of the instance, if its New has asked for it, and otherwise net/http with its handler.
func (f *Fleet) Dialer() func(ctx context.Context, network, addr string) (net.Conn, error) {
	return func(ctx context.Context, _, addr string) (net.Conn, error) { return f.dial(ctx, addr) }
}

// GRPCDialer is [Fleet.Dialer] as grpc.WithContextDialer wants it.
func (f *Fleet) GRPCDialer() func(ctx context.Context, addr string) (net.Conn, error) { return f.dial }

// conn is a connection to an instance.
type conn struct {
	net.Conn
	fleet  *Fleet
	inst   *Instance
	proc   *process
	target *route.Target
	ended  bool // belongs to the lock
}

func (f *Fleet) dial(ctx context.Context, addr string) (net.Conn, error) {
	c := &conn{fleet: f}
	var fault error
	f.read(func(s *state) {
		s.conns.begin()
		target, err := s.balancer.Pick(f.clk.Now(), route.Request{Key: route.KeyOf(addr)})
		if err != nil {
			fault = ErrNoInstance
			return
		}
		c.target, c.inst = target, s.endpoints[target.ID]
		switch {
		case c.inst.lost:
			fault = errOutOfReach
		case !c.inst.serves():
			fault = refusedBy(c.inst.name)
		default:
			c.proc = c.inst.process
			c.proc.conns = append(c.proc.conns, c)
		}
	})
	if fault == nil {
		c.Conn, fault = c.proc.accepting(f.q).Dial(ctx)
	}
	if fault == errOutOfReach {
		limited, cancel := f.clk.WithTimeout(ctx, f.cfg.ConnectTimeout)
		<-limited.Done()
		cancel()
	}
	if fault != nil {
		o, _, status := judge(nil, fault)
		c.end(o, status)
		return nil, fault
	}
	return c, nil
}

// accepting returns the listener of a process. Without one of its own it serves net/http.
func (p *process) accepting(q T) *qtests.Listener {
	var l *qtests.Listener
	p.inst.fleet.read(func(*state) { l = p.listener })
	if l == nil {
		p.serve(q)
		l = p.listener
	}
	return l
}

// serve starts net/http for the handler.
func (p *process) serve(q T) {
	server := q.Serve(p)
	p.inst.fleet.read(func(*state) {
		p.server = server
		if p.listener == nil {
			p.listener = server.Listener()
		}
	})
}

// shut ends the listener and the server of a process.
func (p *process) shut() {
	var l *qtests.Listener
	var server *qtests.Server
	p.inst.fleet.read(func(*state) { l, server = p.listener, p.server })
	if l != nil {
		_ = l.Close()
	}
	if server != nil { // in a goroutine of its own, because it waits for handlers
		p.inst.fleet.q.Go(server.Close)
	}
}

// Close implements net.Conn.
func (c *conn) Close() error {
	err := c.Conn.Close()
	c.end(answered, 200)
	return err
}

// end counts what became of the connection, once.
func (c *conn) end(o outcome, status int) {
	c.fleet.change(func(s *state) {
		if c.ended {
			return
		}
		c.ended = true
		if c.proc != nil {
			if c.proc.ended {
				o, status = failed, 0
			}
			c.proc.conns = slices.DeleteFunc(c.proc.conns, func(x *conn) bool { return x == c })
			s.drained(c.inst)
		}
		s.conns.end(o)
		if c.target != nil {
			s.balancer.Done(s.fleet.clk.Now(), c.target, 0, status)
		}
	})
}
