package fleet

import (
	"context"
	"net"

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

	underWay // at proc
}

func (f *Fleet) dial(ctx context.Context, addr string) (net.Conn, error) {
	c := &conn{fleet: f}
	ended, cancel := context.WithCancelCause(context.Background())
	c.cancel = cancel
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
			c.proc.conns.add(&c.underWay)
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
	context.AfterFunc(ended, func() { _ = c.Conn.Close() }) // at once if the process has ended since
	return c, nil
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
			c.proc.conns.remove(&c.underWay)
			s.drained(c.inst)
		}
		s.conns.end(o)
		if c.target != nil {
			s.balancer.Done(s.fleet.clk.Now(), c.target, 0, status)
		}
	})
}
