package fakehttp

import (
	"time"

	"github.com/go-qtests/qtests/qtests/internal/bubble"
)

// This file waits for what runs on behalf of requests that have been given up: a
// responder, or the Read of its body, that heeds nothing.

// leftoverTimeout is how long the cleanup waits for them on the clock of a bubble, where
// waiting takes no time.
const leftoverTimeout = 24 * time.Hour

// begin counts a call of the user's code, until end is called.
func (h *Fake) begin() { h.locked(func(s *state) { s.running++ }) }

func (h *Fake) end() {
	h.locked(func(s *state) {
		if s.running--; s.running == 0 && s.idle != nil {
			close(s.idle)
			s.idle = nil
		}
	})
}

// waitForLeftovers lets those end by themselves that would be left behind in a bubble.
// In real time it waits for none: they end when they end.
func (h *Fake) waitForLeftovers() {
	if !bubble.TieFree(h.common.Clock) {
		return
	}
	var idle chan struct{}
	h.locked(func(s *state) {
		if s.running > 0 {
			s.idle = make(chan struct{})
			idle = s.idle
		}
	})
	if idle == nil {
		return
	}
	timer := h.common.Clock.Timer(leftoverTimeout)
	defer timer.Stop()
	select {
	case <-idle:
	case <-timer.C:
	}
}
