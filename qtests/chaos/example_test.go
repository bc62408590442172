package chaos_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/chaos"
)

// A store crashes up to three times in a minute, and is cut off with a chance of a fifth; then it has to get well.
func Example() {
	var t *testing.T // the one of the test
	qtests.Run(t, func(q *qtests.T) {
		network := chaos.NewNetwork(q)
		store := network.Component("store", func(l *chaos.Life) { _ = l.Serve(http.NotFoundHandler()) })
		plan := chaos.NewT(q, chaos.Config{Within: time.Minute, Faults: []chaos.Fault{
			{Event: store.Crash(), Most: 3, Longest: 10 * time.Second, Before: store},
			{Event: network.Partition("store"), Chance: 0.2, Longest: 20 * time.Second},
		}})
		q.Sleep(time.Minute)
		plan.Stop()
		resp, err := network.Test().Client().Get("http://store/")
		if err != nil {
			q.Fatal(err)
		}
		fmt.Println(store.Lives(), resp.Status, resp.Body.Close())
	})
}
