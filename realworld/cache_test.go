package realworld

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/dgraph-io/ristretto/v2"
	"github.com/hashicorp/golang-lru/v2/expirable"

	"github.com/go-qtests/qtests/qtests"
)

// A cache that sweeps what has expired, with a goroutine, out of maps.
func TestExpirableLRU(t *testing.T) {
	outcome(t, func(q *qtests.T, log *Log) {
		q.Allow("github.com/hashicorp/golang-lru/v2/expirable.NewLRU[...]") // starts what the module cannot end
		evicted := func(k string, v time.Duration) { log.Addf("evicted %s of %v", k, v) }
		cache := expirable.NewLRU(40, evicted, 20*time.Second)
		load(log, func(int) string {
			key := fmt.Sprint("key ", rand.N(60))
			if v, ok := cache.Get(key); ok {
				return fmt.Sprintf("hit %s of %v", key, v)
			}
			if _, err := call(q.Context(), log); err != nil {
				return err.Error()
			}
			cache.Add(key, log.at())
			return "miss " + key
		})
	})
}

// A cache whose reads go through a sync.Pool of buffers, and which drops what comes when
// it is busy.
func TestRistretto(t *testing.T) {
	outcome(t, func(q *qtests.T, log *Log) {
		cache, err := ristretto.NewCache(&ristretto.Config[string, time.Duration]{
			NumCounters: 400, MaxCost: 40, BufferItems: 8, Metrics: true, IgnoreInternalCost: true,
			OnEvict:  func(item *ristretto.Item[time.Duration]) { log.Addf("evicted %x of %v", item.Key, item.Value) },
			OnReject: func(item *ristretto.Item[time.Duration]) { log.Addf("rejected %x of %v", item.Key, item.Value) },
		})
		if err != nil {
			q.Error(err)
			return
		}
		defer cache.Close()
		load(log, func(int) string {
			key := fmt.Sprint("key ", min(rand.N(80), rand.N(80)))
			if v, ok := cache.Get(key); ok {
				return fmt.Sprintf("hit %s of %v", key, v)
			}
			if _, err := call(q.Context(), log); err != nil {
				return err.Error()
			}
			return fmt.Sprintf("miss %s, set %v", key, cache.SetWithTTL(key, log.at(), 1, 30*time.Second))
		})
		log.Addf("%v", cache.Metrics)
	})
}
