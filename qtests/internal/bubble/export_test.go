package bubble

import "github.com/benbjohnson/clock"

// Lapsing returns how many claims of a tie-free clock may never be settled.
func Lapsing(clk clock.Clock) (n int, ok bool) {
	c, ok := clk.(*tieFree)
	if !ok {
		return 0, false
	}
	return len(c.mu.claims.lapsing), true
}
