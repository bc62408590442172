package latency_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/go-qtests/qtests/qtests/latency"
)

// A cache answers nine of ten requests at once, and the rest takes what the database takes:
// a median of 20 ms, and 300 ms for one in a hundred.
func Example() {
	cached := latency.Mix(
		latency.Share{Weight: 9, Latency: latency.Fixed(time.Millisecond)},
		latency.Share{Weight: 1, Latency: latency.LogNormal(20*time.Millisecond, 300*time.Millisecond)},
	)
	r := rand.New(rand.NewPCG(1, 1))
	var all []time.Duration
	for range 10_000 {
		all = append(all, cached.Sample(r))
	}
	slices.Sort(all)
	fmt.Println("median", all[len(all)/2], "p90 below p99:", all[9_000] < all[9_900])
	fmt.Println(latency.LogNormal(time.Second, time.Millisecond).Err())
	// Output:
	// median 1ms p90 below p99: true
	// latency: LogNormal(1s, 1ms): want 0 < median <= p99
}
