package realworld

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"github.com/go-qtests/qtests/qtests"
)

// silent drops what the module logs.
type silent struct{}

func (silent) Printf(context.Context, string, ...any) {}

func init() { redis.SetLogger(silent{}) }

// A client with its pool of connections and its retries; every tenth request is a
// transaction that others may spoil.
func TestRedis(t *testing.T) {
	outcome(t, func(q *qtests.T, log *Log) {
		server := miniredis.NewMiniRedis()
		defer server.Close()
		network := newCable(q, log, func(context.Context) (net.Conn, error) { return server.Dial() })
		client := redis.NewClient(&redis.Options{
			Addr:     "localhost:6379",
			PoolSize: 5,
			Dialer:   func(ctx context.Context, _, _ string) (net.Conn, error) { return network.Dial(ctx) },
		})
		defer client.Close()
		load(log, func(i int) string {
			ctx, cancel := context.WithTimeout(q.Context(), 5*time.Second)
			defer cancel()
			key := fmt.Sprint("key ", rand.N(5))
			if i%10 > 0 {
				n, err := client.Incr(ctx, key).Result()
				return fmt.Sprint(n, err)
			}
			err := client.Watch(ctx, func(tx *redis.Tx) error { return double(ctx, tx, key) }, key)
			return fmt.Sprint(err)
		})
		stats := client.PoolStats()
		log.Addf("%d hits, %d misses, %d waits, %d stale", stats.Hits, stats.Misses, stats.WaitCount, stats.StaleConns)
	})
}

// double doubles what key has, unless somebody changes it meanwhile.
func double(ctx context.Context, tx *redis.Tx, key string) error {
	n, err := tx.Get(ctx, key).Int()
	if err != nil && !errors.Is(err, redis.Nil) {
		return err
	}
	if err := work(ctx); err != nil {
		return err
	}
	_, err = tx.TxPipelined(ctx, func(p redis.Pipeliner) error {
		p.Set(ctx, key, 2*n, time.Minute)
		return nil
	})
	return err
}
