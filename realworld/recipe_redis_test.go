package realworld

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/latency"
	"github.com/go-qtests/qtests/qtests/wire"
)

// redisAddr is an address that is no name: this client looks names up.
const redisAddr = "192.0.2.1:6379"

// serveRedis serves a miniredis on the connections of a listener; what it keeps expires on the clock of the test.
func serveRedis(server *miniredis.Miniredis) func(net.Listener) error {
	return func(l net.Listener) error {
		server.ClockTTL(true)
		if conn, err := server.Dial(); err == nil { // has it start without a socket
			_ = conn.Close()
		}
		for {
			conn, err := l.Accept()
			if err != nil {
				return err
			}
			server.Server().ServeConn(conn)
		}
	}
}

// A session that expires after half an hour, over a network that is cut off for ten seconds.
func TestRecipeRedis(t *testing.T) {
	recipe(t, func(q *qtests.T, log *Log) {
		hosts, server := wire.NewHosts(q), miniredis.NewMiniRedis()
		link := hosts.Serve(redisAddr, serveRedis(server), server.Close)
		client := redis.NewClient(&redis.Options{Addr: redisAddr, Dialer: hosts.Dial, MaxRetries: 2, ReadTimeout: time.Second})
		defer func() { _ = client.Close() }()
		q.Schedule(
			link.Latency(wire.Both, latency.Uniform(time.Millisecond, 3*time.Millisecond)),
			link.Partition().At(10*time.Minute).For(10*time.Second),
		)
		require.NoError(q, client.Set(q.Context(), "session", "kim", 30*time.Minute).Err())
		for range 9 {
			q.Sleep(time.Minute)
			ttl, err := client.TTL(q.Context(), "session").Result()
			require.NoError(q, err)
			log.Addf("%v left", ttl)
		}
		q.Sleep(10*time.Minute + 5*time.Second - log.at())
		ctx, cancel := context.WithTimeout(q.Context(), 2*time.Second)
		err := client.Get(ctx, "session").Err()
		cancel()
		log.Addf("cut off: %v", err)
		require.ErrorIs(q, err, context.DeadlineExceeded)

		q.Sleep(29*time.Minute - log.at())
		require.Equal(q, "kim", client.Get(q.Context(), "session").Val())
		q.Sleep(31*time.Minute - log.at())
		require.ErrorIs(q, client.Get(q.Context(), "session").Err(), redis.Nil)
		log.Addf("expired")
	})
}
