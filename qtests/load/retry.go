package load

import (
	"cmp"
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/go-qtests/qtests/qtests/internal/field"
	"github.com/go-qtests/qtests/qtests/latency"
)

// Retry repeats failed requests. Retries are not counted as requests: a request is one however many
// attempts it takes, and its response time covers them all.
type Retry struct {
	// Max is how many times a request is repeated. Zero means never.
	Max int
	// Backoff is the wait before a retry, drawn from the stream of the user. Before the n-th
	// retry it is multiplied by 2^(n-1). Its jitter is the spread of this distribution. Default none: a
	// retry at once. The request keeps its place in flight meanwhile.
	Backoff latency.Distribution
	// MaxBackoff bounds the wait. Default 30 s.
	MaxBackoff time.Duration
	// Budget bounds the retries to this share of the requests that have started so far, plus
	// ten. A retry over the budget is not made, and is counted as denied. From 0 to 1. Zero
	// means no bound.
	Budget float64
	// If reports whether an error is worth a retry. Default: every error is, except
	// context.Canceled.
	If func(error) bool
}

const defaultMaxBackoff = 30 * time.Second

func (r *Retry) check(check *field.Checker) {
	check.Count("Retry.Max", r.Max)
	check.Err("Retry.Backoff", r.Backoff.Err())
	check.Duration("Retry.MaxBackoff", r.MaxBackoff)
	check.Share("Retry.Budget", r.Budget)
	check.That(r.Max > 0 || r.Backoff.IsZero() && r.MaxBackoff == 0 && r.Budget == 0 && r.If == nil,
		"Retry.Max", r.Max, "leaves the other fields of Retry without meaning")
	r.MaxBackoff = cmp.Or(r.MaxBackoff, defaultMaxBackoff)
}

// freeRetries lets a run retry before it has made enough requests to have a
// share of them.
const freeRetries = 10

// allows reports whether one more retry stays within the budget. The first free ones cost nothing.
func (r *Retry) allows(requests, retries, free int64) bool {
	return r.Budget == 0 || float64(retries+1) <= float64(free)+r.Budget*float64(requests)
}

// worth reports whether err should be retried.
func (r *Retry) worth(err error) bool {
	if r.If != nil {
		return r.If(err)
	}
	return !errors.Is(err, context.Canceled)
}

// backoff is the wait before the n-th retry, drawn from gen.
func (r *Retry) backoff(gen func() *rand.Rand, n int) time.Duration {
	if r.Backoff.IsZero() {
		return 0
	}
	d := r.Backoff.Sample(gen())
	for range n - 1 {
		if d > r.MaxBackoff/2 {
			return r.MaxBackoff
		}
		d *= 2
	}
	return min(d, r.MaxBackoff)
}
