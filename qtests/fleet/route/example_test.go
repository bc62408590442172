package route_test

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/go-qtests/qtests/qtests/fleet/route"
)

// One of three targets fails. After five errors in a row it is ejected, and the others get its requests.
func Example() {
	b, err := route.New(route.Config{Policy: route.RoundRobin, Outliers: &route.Outliers{}, Rand: rand.New(rand.NewPCG(1, 1))})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, id := range []string{"a", "b", "c"} {
		if _, err := b.Add(id, "", 1); err != nil {
			fmt.Println(err)
			return
		}
	}
	now, got := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC), map[string]int{}
	for range 45 {
		target, err := b.Pick(now, route.Request{})
		if err != nil {
			fmt.Println(err)
			return
		}
		got[target.ID]++
		status := 200
		if target.ID == "b" {
			status = 503
		}
		b.Done(now, target, 10*time.Millisecond, status)
	}
	fmt.Println(got)
	ejections, _ := b.Ejections()
	for _, e := range ejections {
		fmt.Println(e.Target, "is ejected:", e.Why)
	}
	// Output:
	// map[a:20 b:5 c:20]
	// b is ejected: 5 errors in a row
}
