// Package ownbreaker_test holds a circuit breaker that is not from qtests to the same
// assertions. The adapter is one function, and needs no dependency.
package ownbreaker_test

import (
	"errors"
	"testing"
	"time"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/breaker"
)

var errDown = errors.New("down")

// A fuse is the breaker that you have: three failures in a row open it for a minute.
// It is for one goroutine.
type fuse struct {
	failures int
	openTill time.Time
	onChange func(open bool)
}

func (f *fuse) call(do func() error) error {
	if time.Now().Before(f.openTill) {
		return errors.New("fuse: open")
	}
	err := do()
	switch {
	case err != nil:
		if f.failures++; f.failures == 3 {
			f.openTill = time.Now().Add(time.Minute)
			f.onChange(true)
		}
	case f.failures >= 3:
		f.onChange(false)
		f.failures = 0
	}
	return err
}

func TestOwnBreaker(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		rec := breaker.NewT(q, breaker.Config{Name: "payments", Mode: breaker.Recording})
		states := map[bool]breaker.State{true: breaker.Open, false: breaker.Closed} // the adapter
		f := &fuse{onChange: func(open bool) { rec.Record(states[open]) }}

		for second := 0; second < 200; second += 10 {
			_ = f.call(func() error {
				if second < 30 {
					return errDown // three calls fail
				}
				return nil
			})
			q.Sleep(10 * time.Second)
		}
		rec.RequireTransitions(q, breaker.Open.At(20*time.Second), breaker.Closed.At(80*time.Second))
	})
}
