package hpa_test

import (
	"fmt"

	"github.com/go-qtests/qtests/hpa"
)

// The autoscaler of a team, from the file that its cluster has.
func ExampleReadFile() {
	h, err := hpa.ReadFile("testdata/shop.yaml")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("from", h.Min, "to", h.Max, "instances, by", len(h.Metrics), "metrics")
	// Output: from 3 to 20 instances, by 4 metrics
}
