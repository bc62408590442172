package bench

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
)

// TestFakeLoops looks at each request of the loops, which the rows, where every
// nanosecond counts, do not.
func TestFakeLoops(t *testing.T) {
	const n = 50
	for _, latency := range []time.Duration{apart, tied} {
		for _, c := range []struct {
			name string
			loop requestLoop
		}{{"raw loop", rawLoop}, {"armed by timer", armedByTimer}, {"reused goroutines", reusedGoroutines}} {
			t.Run(c.name+" "+latency.String(), func(t *testing.T) {
				require.NoError(t, inBubble(func() {
					start, requests, at := time.Now(), int64(0), make([]atomic.Int64, n)
					request := func() {
						at[atomic.AddInt64(&requests, 1)-1].Store(int64(time.Since(start)))
						time.Sleep(latency)
					}
					assert.NoError(t, took(n, latency, func() { c.loop(n, latency, request) }))
					assert.EqualValues(t, n, requests)
					for k := range at {
						assert.EqualValues(t, time.Duration(k+1)*gap, at[k].Load())
					}
				}))
			})
		}
		t.Run("on the tie-free clock "+latency.String(), func(t *testing.T) {
			require.NoError(t, inRun(func(q *qtests.T) {
				var record endings
				start, requests := q.Clock().Now(), int64(0)
				reserved(q, n, latency, func() {
					requests++ // one event at a time
					assert.Equal(t, time.Duration(requests)*gap, q.Clock().Since(start))
					q.Clock().Sleep(latency)
				}, &record)
				assert.EqualValues(t, n, requests)
				assert.EqualValues(t, n, record.late.Count())
				assert.Zero(t, record.late.Max())
				assert.NoError(t, record.all(n, latency))
				assert.Error(t, record.all(n, latency), "it has been emptied")
			}))
		})
	}
}

// TestTook is the check that every timed loop goes through.
func TestTook(t *testing.T) {
	require.NoError(t, inBubble(func() {
		assert.NoError(t, took(3, apart, func() { time.Sleep(3*gap + apart) }))
		assert.Error(t, took(3, apart, func() { time.Sleep(3 * gap) }), "no request sleeps")
		assert.Error(t, took(3, apart, func() { time.Sleep(apart) }), "nothing arrives")
	}))
}
