package realworld

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/singleflight"

	"github.com/go-qtests/qtests/qtests"
)

// Requests that need three parts each, fetched side by side; who asks for a part that is
// being fetched shares it. Which of the goroutines of a group comes first decides who
// fetches.
func TestSingleflight(t *testing.T) {
	outcome(t, func(q *qtests.T, log *Log) {
		var flights singleflight.Group
		load(log, func(i int) string {
			group, ctx := errgroup.WithContext(q.Context())
			group.SetLimit(2)
			var parts [3]string
			for p := range parts {
				group.Go(func() error {
					part, err := fetch(ctx, log, &flights, fmt.Sprint("part ", rand.N(4)))
					parts[p] = fmt.Sprintf("%s for %d", part, i)
					return err
				})
			}
			err := group.Wait()
			return fmt.Sprintf("%q %v", parts, err)
		})
	})
}

func fetch(ctx context.Context, log *Log, flights *singleflight.Group, name string) (string, error) {
	select {
	case r := <-flights.DoChan(name, func() (any, error) {
		log.Addf("fetches %s", name)
		took, err := call(context.WithoutCancel(ctx), log)
		time.Sleep(time.Duration(len(name)) * rand.N(50*time.Millisecond))
		return took, err
	}):
		return fmt.Sprintf("%s %v %v", name, r.Val, r.Shared), r.Err
	case <-ctx.Done():
		return name, ctx.Err()
	}
}
