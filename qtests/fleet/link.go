package fleet

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"syscall"
)

// A Link is the way from one instance to something it uses, such as a fake that all instances share. It can be cut for some of them:
// see [Fleet.Cut]. Its methods are safe for concurrent use.
type Link struct {
	inst *Instance
	name string
	cut  bool
}

// Link returns the link of this name, always the same.
func (i *Instance) Link(name string) (l *Link) {
	i.fleet.read(func(*state) {
		if l = i.links[name]; l == nil {
			l = &Link{inst: i, name: name}
			i.links[name] = l
		}
	})
	return l
}

// Err is an error that unwraps to syscall.ECONNRESET while the link is cut, and else nil.
func (l *Link) Err() error {
	cut := false
	l.inst.fleet.read(func(*state) { cut = l.cut })
	if !cut {
		return nil
	}
	return fmt.Errorf("fleet: the link from %s to %s is cut: %w", l.inst.name, l.name, syscall.ECONNRESET)
}

// RoundTripper sends through the link: requests fail while it is cut.
func (l *Link) RoundTripper(rt http.RoundTripper) http.RoundTripper { return linked{l, rt} }

type linked struct {
	link *Link
	rt   http.RoundTripper
}

func (t linked) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := t.link.Err(); err != nil {
		closeBody(req)
		return nil, err
	}
	return t.rt.RoundTrip(req)
}

// Dial connects through the link: dialling fails while it is cut.
func (l *Link) Dial(dial func(ctx context.Context, network, addr string) (net.Conn, error)) func(ctx context.Context, network, addr string) (net.Conn, error) {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		if err := l.Err(); err != nil {
			return nil, err
		}
		return dial(ctx, network, addr)
	}
}
