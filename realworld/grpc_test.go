package realworld

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"github.com/go-qtests/qtests/qtests"
)

const retryPolicy = `{"methodConfig": [{"name": [{}], "retryPolicy": {
	"maxAttempts": 4, "initialBackoff": "0.2s", "maxBackoff": "3s", "backoffMultiplier": 2,
	"retryableStatusCodes": ["UNAVAILABLE"]}}]}`

// healthServer answers late, and now and then that it is not available.
type healthServer struct {
	grpc_health_v1.UnimplementedHealthServer
}

func (healthServer) Check(ctx context.Context, req *grpc_health_v1.HealthCheckRequest) (*grpc_health_v1.HealthCheckResponse, error) {
	if err := work(ctx); err != nil {
		return nil, err
	}
	if rand.N(20) == 0 {
		return nil, status.Errorf(codes.Unavailable, "not now: %s", req.Service)
	}
	return &grpc_health_v1.HealthCheckResponse{Status: grpc_health_v1.HealthCheckResponse_SERVING}, nil
}

// A client with a retry policy, which has jitter, over connections that the outage breaks.
func TestGRPC(t *testing.T) {
	outcome(t, func(q *qtests.T, log *Log) {
		listener := qtests.Listen(q.Clock(), "grpc.memory:443")
		server := grpc.NewServer()
		grpc_health_v1.RegisterHealthServer(server, healthServer{})
		go func() { _ = server.Serve(listener) }()
		defer server.Stop()
		network := newCable(q, log, listener.Dial)
		client, err := grpc.NewClient("passthrough:///grpc.memory",
			grpc.WithTransportCredentials(insecure.NewCredentials()),
			grpc.WithDefaultServiceConfig(retryPolicy),
			grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return network.Dial(ctx) }))
		if err != nil {
			q.Error(err)
			return
		}
		defer client.Close()
		health := grpc_health_v1.NewHealthClient(client)
		load(log, func(i int) string {
			ctx, cancel := context.WithTimeout(q.Context(), 5*time.Second)
			defer cancel()
			res, err := health.Check(ctx, &grpc_health_v1.HealthCheckRequest{Service: fmt.Sprint("service ", i)}, grpc.WaitForReady(i%2 == 0))
			return fmt.Sprint(res.GetStatus(), status.Code(err), err)
		})
	})
}
