package wire_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/event"
	"github.com/go-qtests/qtests/qtests/latency"
	"github.com/go-qtests/qtests/qtests/wire"
)

// A partition of ten seconds, under a client of net/http whose packets take 20 ms each way.
func Example() {
	var t *testing.T // the one of the test
	qtests.Run(t, func(q *qtests.T) {
		link := wire.NewT(q, "shop")
		client := link.Client(q.Serve(http.NotFoundHandler()))
		stop, err := event.Schedule(q.Context(), q.Clock(), q.EventLog(),
			link.Latency(wire.Both, latency.Fixed(20*time.Millisecond)),
			link.Partition().At(time.Minute).For(10*time.Second),
		)
		if err != nil {
			q.Fatal(err)
		}
		defer func() { _ = stop() }()
		q.Sleep(time.Minute)
		resp, err := client.Get("http://shop/") // waits for the end of the partition
		if err != nil {
			q.Fatal(err)
		}
		fmt.Println(q.Elapsed(), resp.Status, resp.Body.Close())
	})
}
