package result_test

import (
	"bytes"
	"fmt"
	"time"

	"github.com/go-qtests/qtests/qtests/load/result"
)

// A result is a value: it can be kept, read again, and shown.
func ExampleRead() {
	kept := &result.Result{Version: result.Version, Scenario: "shop", Finished: 1200, Errors: 3}
	var file bytes.Buffer
	if err := kept.WriteJSON(&file); err != nil {
		fmt.Println(err)
	}
	again, err := result.Read(&file)
	fmt.Println(again.Scenario, again.Finished, again.ErrorRate(), err)
	// Output:
	// shop 1200 0.0025 <nil>
}

func ExampleHistogram() {
	var h result.Histogram
	for i := range 100 {
		h.Record(time.Duration(i+1) * time.Millisecond)
	}
	fmt.Println(h.Count(), h.Percentile(50), h.Percentile(99), h.Max())
	// Output:
	// 100 50ms 99ms 100ms
}
