package coming_test

import (
	"context"
	"testing"
	"time"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/latency"
	"github.com/go-qtests/qtests/qtests/load"
	"github.com/go-qtests/qtests/qtests/load/traffic"
)

func TestFromK6(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		shop := q.Serve(newShop())
		load.Run(q, load.Scenario{
			Traffic:   traffic.Users(0).To(50, time.Minute).For(5*time.Minute).To(0, time.Minute),
			ThinkTime: latency.Fixed(time.Second),
			Do: func(ctx context.Context, u *load.User) error {
				err := get(ctx, shop.Client(), shop.URL+"/items")
				u.Check("status is 200", err == nil)
				return err
			},
			Thresholds: []string{"p(95)<500ms", "errors<1%"},
		})
	})
}
