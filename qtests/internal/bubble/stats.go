package bubble

import "time"

// Stats are figures of a bubble's clock: those of qtests.ClockStats.
type Stats struct {
	Waits, Pending  uint64
	MaxDisplacement time.Duration
}

func (c *tieFree) Stats() Stats {
	c.mu.Lock()
	defer c.mu.Unlock()
	return Stats{
		Waits:           c.Moves.Load(),
		Pending:         uint64(c.mu.claims.taken.n),
		MaxDisplacement: time.Duration(c.mu.claims.stretch),
	}
}
