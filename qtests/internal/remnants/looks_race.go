//go:build race

package remnants

// With the race detector a sync.Pool drops a fourth of what it is given. So one look that found nothing says little: the body may
// leave something in its next run, which the bubble after that would take out of the pool.
const (
	remnantLooks = 24
	cleanLooks   = 8
)
