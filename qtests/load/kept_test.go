package load

import (
	"context"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/load/traffic"
)

// Code under test that keeps the context of a request keeps the other users of a closed profile no longer.
func TestAContextThatIsKeptKeepsNoOtherUser(t *testing.T) {
	const users = 20
	var kept context.Context
	freed := make(chan struct{}, users)
	qtests.Run(t, func(q *qtests.T) {
		_, err := Do(context.Background(), Scenario{
			Clock:   q.Clock(),
			Traffic: traffic.Users(users).For(3 * time.Second),
			Do: func(ctx context.Context, u *User) error {
				if u.State == nil {
					state := new([64]int)
					runtime.AddCleanup(state, func(freed chan struct{}) { freed <- struct{}{} }, freed)
					u.State = state
				}
				if u.ID() == 1 {
					kept = ctx
				}
				return u.Sleep(ctx, time.Second)
			},
		})
		require.NoError(q, err)
	})
	for tries := 0; len(freed) < users-1 && tries < 1000; tries++ {
		runtime.GC()
	}
	require.GreaterOrEqual(t, len(freed), users-1)
	runtime.KeepAlive(kept)
}
