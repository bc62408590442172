package coming_test

import (
	"context"
	"testing"
	"time"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/load"
	"github.com/go-qtests/qtests/qtests/load/traffic"
)

func TestFromVegeta(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) { // with a plain t, and your own URL, it runs in real time
		shop := q.Serve(newShop())
		res := load.Run(q, load.Scenario{
			Traffic:    traffic.Rate(50).For(time.Minute),
			Do:         func(ctx context.Context, _ *load.User) error { return get(ctx, shop.Client(), shop.URL+"/items") },
			Thresholds: []string{"p(99)<250ms", "errors==0", "dropped==0"},
		})
		q.Log(res)
	})
}
