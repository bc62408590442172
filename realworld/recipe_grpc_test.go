package realworld

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/latency"
	"github.com/go-qtests/qtests/qtests/wire"
)

// A server and a client with deadlines and a retry policy. For 15 seconds the server does not answer, then for 15 it is gone.
func TestRecipeGRPC(t *testing.T) {
	recipe(t, func(q *qtests.T, log *Log) {
		hosts := wire.NewHosts(q)
		server := grpc.NewServer()
		healthpb.RegisterHealthServer(server, health.NewServer())
		link := hosts.Serve("grpc.memory:443", server.Serve, server.Stop)
		conn, err := grpc.NewClient("passthrough:///grpc.memory:443", grpc.WithContextDialer(hosts.DialAddr),
			grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithDefaultServiceConfig(retryPolicy))
		require.NoError(q, err)
		defer func() { _ = conn.Close() }()
		q.Schedule(
			link.Latency(wire.Both, latency.Uniform(5*time.Millisecond, 20*time.Millisecond)),
			link.Stall(wire.Down).At(30*time.Second).For(15*time.Second),
			link.Refuse().At(80*time.Second).For(15*time.Second),
		)

		client, codesOf := healthpb.NewHealthClient(conn), map[codes.Code]int{}
		for range 120 {
			ctx, cancel := context.WithTimeout(q.Context(), 2*time.Second)
			_, err := client.Check(ctx, &healthpb.HealthCheckRequest{})
			cancel()
			log.Addf("%v", err)
			codesOf[status.Code(err)]++
			q.Sleep(time.Second)
		}
		require.Greater(q, codesOf[codes.OK], 80)
		require.Positive(q, codesOf[codes.DeadlineExceeded], "while the server did not answer")
		require.Positive(q, codesOf[codes.Unavailable], "while it was gone, after the retries")
		require.Len(q, codesOf, 3)
	})
}
