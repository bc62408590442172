package fake_test

import (
	"context"
	"fmt"
	"sync"

	"github.com/go-qtests/qtests/qtests/pool/fake"
	"github.com/go-qtests/qtests/qtests/tbtest"
)

// A Redis with latency, a connection limit and every fault of the vocabulary.
type redis struct {
	*fake.Fake
	data sync.Map
}

func (r *redis) Get(ctx context.Context, key string) (value any, err error) {
	err = r.Do(ctx, "GET", func(context.Context) error {
		value, _ = r.data.Load(key)
		return nil
	})
	return value, err
}

func ExampleFake() {
	tbtest.Run("an example has no t of its own", func(t *tbtest.TB) {
		cache := redis{Fake: fake.NewT(t, fake.Config{Name: "redis", Max: 20})}
		cache.data.Store("greeting", "hello")
		show := func() {
			value, err := cache.Get(context.Background(), "greeting")
			fmt.Println(value, err)
		}
		outage := cache.Outage() // on a timeline: .At(time.Minute).For(time.Second)
		show()
		outage.Begin()
		show()
		outage.End()
		show()
	})
	// Output:
	// hello <nil>
	// <nil> redis: GET: fake: outage: connection refused
	// hello <nil>
}
