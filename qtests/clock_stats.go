package qtests

import "time"

// ClockStats are figures of a bubble's clock.
type ClockStats struct {
	// Waits is how many waits there were, and Pending how many there are,
	// those of stopped timers whose instant has not passed included.
	Waits, Pending uint64
	// MaxDisplacement is the longest distance from a nominal instant to the raw
	// one at which the runtime fired.
	MaxDisplacement time.Duration
}

// ClockStats returns the figures of the bubble's clock.
func (q *T) ClockStats() ClockStats { return q.clock.stats() }

func (c *tieFree) stats() ClockStats {
	c.mu.Lock()
	defer c.mu.Unlock()
	return ClockStats{
		Waits:           c.moves.Load(),
		Pending:         uint64(c.mu.claims.taken.n),
		MaxDisplacement: time.Duration(c.mu.claims.stretch),
	}
}
