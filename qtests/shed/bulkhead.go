package shed

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/benbjohnson/clock"

	"github.com/go-qtests/qtests/qtests/internal/guard"
)

// DefaultMaxKeys is how many keys [Bulkheads] have at most.
const DefaultMaxKeys = 1000

// Bulkheads keep a Gate of one Config for each key. All methods are safe for concurrent use.
type Bulkheads struct {
	cfg   Config
	limit int
	max   int
	gates guard.Value[map[string]*Gate]
}

// NewBulkheads returns gates for at most maxKeys keys (0 is [DefaultMaxKeys]), each with a fixed limit and what else cfg says;
// cfg.Limit must be nil.
func NewBulkheads(cfg Config, limit, maxKeys int) (*Bulkheads, error) {
	check := cfg
	check.Limit = Fixed(limit)
	if _, err := New(check); err != nil {
		return nil, err
	}
	b := &Bulkheads{cfg: cfg, limit: limit, max: cmp.Or(max(maxKeys, 0), DefaultMaxKeys)}
	b.gates.Do(func(all *map[string]*Gate) { *all = map[string]*Gate{} })
	return b, nil
}

// Gate returns the gate of a key. Beyond the most keys it fails with a [*RefusedError].
func (b *Bulkheads) Gate(key string) (g *Gate, err error) {
	b.gates.Do(func(all *map[string]*Gate) {
		if g = (*all)[key]; g != nil {
			return
		}
		if len(*all) >= b.max {
			err = &RefusedError{Gate: cmp.Or(b.cfg.Name, DefaultName), Reason: TooManyKeys}
			return
		}
		cfg := b.cfg
		cfg.Name, cfg.Limit = cmp.Or(cfg.Name, DefaultName)+" "+key, Fixed(b.limit)
		g, err = New(cfg)
		(*all)[key] = g
	})
	return g, err
}

// Keys returns the keys that have a gate, sorted.
func (b *Bulkheads) Keys() (keys []string) {
	b.gates.Do(func(all *map[string]*Gate) {
		for key := range *all {
			keys = append(keys, key)
		}
	})
	slices.Sort(keys)
	return keys
}

// RoundTripper sends requests through next, each behind the gate of its host.
func (b *Bulkheads) RoundTripper(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(req *http.Request) (*http.Response, error) {
		g, err := b.Gate(req.URL.Host)
		if err != nil {
			closeBody(req)
			return nil, err
		}
		return g.RoundTripper(next).RoundTrip(req)
	})
}

// Do calls f behind the gate of key. An error of f counts as a drop for limits that learn.
func (b *Bulkheads) Do(ctx context.Context, key string, f func(ctx context.Context) error) error {
	g, err := b.Gate(key)
	if err != nil {
		return err
	}
	return g.Do(ctx, "", f)
}

// Do calls f if a request of the class is admitted. The permit comes back also when f panics.
func (g *Gate) Do(ctx context.Context, class string, f func(ctx context.Context) error) error {
	permit, err := g.Acquire(ctx, class)
	if err != nil {
		return err
	}
	ended := false
	defer func() {
		if !ended {
			permit.Cancel()
		}
	}()
	err = f(ctx)
	ended = true
	permit.Done(err != nil)
	return err
}

// A Bucket is a token bucket: *rate.Limiter of golang.org/x/time/rate is one.
type Bucket interface {
	AllowN(now time.Time, n int) bool
}

// RateLimit lets next serve what the bucket has a token for. The rest gets status 429 and Retry-After: 1, and refused, which may be nil, is called. A nil clk is the real clock.
func RateLimit(bucket Bucket, clk clock.Clock, refused func(*http.Request), next http.Handler) http.Handler {
	if clk == nil {
		clk = clock.New()
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if bucket.AllowN(clk.Now(), 1) {
			next.ServeHTTP(w, r)
			return
		}
		if refused != nil {
			refused(r)
		}
		w.Header().Set("Retry-After", "1")
		http.Error(w, (&RefusedError{Gate: "rate", Reason: OverRate}).Error(), http.StatusTooManyRequests)
	})
}
