package fakehttp

import (
	"time"

	"github.com/go-qtests/qtests/qtests"
)

const second = time.Second

// took returns how long f takes on the clock of q.
func took(q *qtests.T, f func()) time.Duration {
	start := q.Elapsed()
	f()
	return q.Elapsed() - start
}
