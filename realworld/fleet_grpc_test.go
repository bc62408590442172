package realworld

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/fleet"
	"github.com/go-qtests/qtests/qtests/fleet/rollout"
)

// A gRPC server on every instance, and a client over the dialer of the fleet: through a rolling update no call is lost.
func TestFleetGRPC(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		f := fleet.NewT(q, fleet.Config{
			Name: "health", Replicas: 2, Life: fleet.Life{Readiness: fleet.Probe{Listening: true, Period: time.Second}, PreStop: 2 * time.Second},
			New: func(i *fleet.Instance) http.Handler {
				server := grpc.NewServer()
				healthpb.RegisterHealthServer(server, health.NewServer())
				l := i.Listener()
				go func() { _ = server.Serve(l) }()
				i.OnTerm(server.GracefulStop)
				i.OnStop(server.Stop)
				return nil
			},
		})
		conn, err := grpc.NewClient("passthrough:///health", grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithContextDialer(f.GRPCDialer()))
		require.NoError(q, err)
		defer func() { _ = conn.Close() }()
		client := healthpb.NewHealthClient(conn)
		q.Clock().AfterFunc(10*time.Second, f.Deploy(fleet.Release{Version: "v2"}, rollout.Update{}).Begin)
		for range 300 {
			answer, err := client.Check(q.Context(), &healthpb.HealthCheckRequest{}, grpc.WaitForReady(true))
			require.NoError(q, err)
			require.Equal(q, healthpb.HealthCheckResponse_SERVING, answer.Status)
			q.Sleep(100 * time.Millisecond)
		}
		f.RequireDeployed(q, "v2")
		require.Greater(q, f.Stats().Conns.Offered, uint64(1), "it had to connect anew")
	})
}
