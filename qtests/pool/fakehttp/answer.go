package fakehttp

import (
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"

	"github.com/go-qtests/qtests/qtests/internal/usercode"
)

// An answer is what a responder returns, on a goroutine of its own.
type answer struct {
	resp  *http.Response // the responder's, until it has ended
	err   error
	given atomic.Bool // whether to the caller, or to nobody
}

// respond runs the responder and returns its answer. It does not wait for the responder
// when the context of the request ends or an outage cuts the line. A panic becomes a
// *pool.PanicError, and Goexit pool.ErrGoexit.
func (x *exchange) respond(req *http.Request) (*http.Response, error) {
	if x.route.stub.canned {
		return x.canned(req)
	}
	x.answer.resp = nil // of one before, which has ended
	x.answer.given.Store(false)
	x.h.begin()
	go x.serve(req)
	select {
	case <-x.woken:
	case <-x.ctx.Done():
	}
	if broken := x.broken(); broken != nil {
		x.answer.drop()
		return nil, broken
	}
	if x.answer.err != nil {
		return nil, explain(x.answer.err)
	}
	return x.answer.resp, nil
}

// canned returns the answer of a canned responder.
func (x *exchange) canned(req *http.Request) (*http.Response, error) {
	resp, err := x.route.stub.answer(req)
	if broken := x.broken(); broken != nil {
		if resp != nil {
			closeBody(resp)
		}
		return nil, broken
	}
	return resp, err
}

// answer calls the responder.
func (s *Stub) answer(req *http.Request) (*http.Response, error) {
	resp, err := s.responder(req)
	if resp == nil && err == nil {
		err = fmt.Errorf("%s: the responder returned neither a response nor an error", s.scope.What)
	}
	return resp, err
}

// serve calls the responder. When it has woken the caller, the answer is the caller's.
func (x *exchange) serve(req *http.Request) {
	defer x.h.end()
	usercode.Run(func() (err error) {
		x.answer.resp, err = x.route.stub.answer(req)
		return err
	}, func(err error) {
		x.answer.err = err
		x.answer.drop()
		x.woken <- struct{}{}
	})
}

// drop is called when the responder has ended, and when nobody waits for it any more: the
// second time it closes the response.
func (a *answer) drop() {
	if a.given.Swap(true) && a.resp != nil {
		closeBody(a.resp)
	}
}

// broken returns why the exchange ends before its end, or nil.
func (x *exchange) broken() error {
	if err := x.ctx.Err(); err != nil {
		return err
	}
	return x.line.Err()
}

// explain says of a panic and of Goexit that they are the responder's.
func explain(err error) error {
	var p *usercode.PanicError
	if errors.As(err, &p) || errors.Is(err, usercode.ErrGoexit) {
		return fmt.Errorf("responder: %w", err)
	}
	return err
}
