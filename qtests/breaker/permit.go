package breaker

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// A Permit is the admission of one call, from [Breaker.Allow]. Finish it once,
// with Done or Cancel, from any goroutine; copies are the same permit. A permit
// that is never finished is a call in flight for ever.
type Permit struct {
	b      *Breaker
	ticket ticket
	use    *use
	turn   uint64
}

// A use tells whether the permit that holds it is still open. It is used again
// by later permits, each with a turn of its own, so that a permit costs no
// allocation and a second finish is detected however late it comes.
type use struct{ turn atomic.Uint64 }

var uses = sync.Pool{New: func() any { return new(use) }}

// Allow asks for a call that the caller makes itself. It returns a permit, or a
// *[RejectedError], for which errors.Is(err, ErrOpen) holds.
func (b *Breaker) Allow() (Permit, error) {
	var t ticket
	settle, err := b.admit(&t)
	if err != nil {
		if settle {
			b.settle()
		}
		return Permit{}, err
	}
	if settle {
		handed := false
		defer func() {
			if !handed { // a hook panicked: the permit reaches no caller
				b.finish(&t, ignored, 0)
			}
		}()
		b.settle()
		handed = true
	}
	u := uses.Get().(*use)
	return Permit{b, t, u, u.turn.Load()}, nil
}

// Done finishes the call with its result, which Config.IsFailure and
// Config.Ignore classify. A result of an earlier generation (the breaker has
// changed its state since the permit was given) is counted as stale and has no
// effect.
//
// Done panics if the permit was finished before.
func (p Permit) Done(err error) {
	p.take()
	o, openFor := failure, time.Duration(0) // if user code panics
	defer func() { p.b.finish(&p.ticket, o, openFor) }()
	o = p.b.classify(unknown, err)
	openFor = p.b.openFor(o, err)
}

// Cancel gives the permit back: the call was not made, and counts as ignored.
//
// Cancel panics if the permit was finished before.
func (p Permit) Cancel() {
	p.take()
	p.b.finish(&p.ticket, ignored, 0)
}

// An unknownCaller is the context of a call for which we know none. It may
// have been cancelled, so the error decides.
type unknownCaller struct{ context.Context }

var unknown context.Context = unknownCaller{context.Background()} // made once, or every Done would allocate

func (unknownCaller) Err() error { return context.Canceled }

func (p Permit) take() {
	if p.b == nil {
		panic("breaker: the zero Permit was finished")
	}
	if !p.use.turn.CompareAndSwap(p.turn, p.turn+1) {
		panic("breaker: " + p.b.label + ": a Permit was finished twice")
	}
	uses.Put(p.use)
}
