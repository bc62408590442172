package record_test

import (
	"fmt"
	"time"

	"github.com/go-qtests/qtests/qtests/load/internal/record"
)

// One request fails after it waited for its start, and one succeeds.
func Example() {
	r := record.New(time.Minute)
	step := r.Only("checkout")
	for i, q := range []record.Request{{Started: 10 * time.Millisecond}, {Intended: time.Second, Started: time.Second}} {
		q.Step, q.Attempts = step, 1
		r.Arrive(q.Intended)
		r.Start(step, q.Started)
		r.End(&q, &record.Ending{At: q.Started + 30*time.Millisecond, Failed: i == 0})
	}
	res := r.Result(time.Minute)
	fmt.Println(res.Finished, res.Errors, res.Response.Max(), res.Service.Max())
	// Output:
	// 2 1 40ms 30ms
}
