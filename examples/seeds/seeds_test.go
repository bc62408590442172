// Package seeds_test runs one test under several seeds. Whatever is drawn at random comes
// from the seed: one seed gives one run, and other seeds give other runs.
//
//	go test -qtests.seeds=20 ./examples/seeds     twenty seeds instead of one
//	go test -qtests.seed=7 ./examples/seeds       repeats what seed 7 did
package seeds_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
)

// backoff waits between attempts: twice as long each time, and at random up to half as long
// again, so that clients do not come back all at once.
func backoff(q *qtests.T) (waits []time.Duration) {
	draw := q.Rand("backoff")
	for d := time.Second; d <= 8*time.Second; d *= 2 {
		waits = append(waits, d+time.Duration(draw.Int64N(int64(d/2))))
	}
	return waits
}

// This must hold under every seed.
func TestBackoffIsBounded(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		for _, d := range backoff(q) {
			q.Sleep(d)
		}
		q.Logf("seed %d: %v", q.Seed(), q.Elapsed())
		require.LessOrEqual(q, q.Elapsed(), 23*time.Second)
		require.GreaterOrEqual(q, q.Elapsed(), 15*time.Second)
	})
}

// Two runs with one seed are the same.
func TestOneSeedOneRun(t *testing.T) {
	var runs [2][]time.Duration
	for i := range runs {
		qtests.Run(t, func(q *qtests.T) { runs[i] = backoff(q) })
	}
	require.Equal(t, runs[0], runs[1])
}
