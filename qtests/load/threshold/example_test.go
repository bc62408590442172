package threshold_test

import (
	"fmt"

	"github.com/go-qtests/qtests/qtests/load/threshold"
)

func ExampleParse() {
	t, err := threshold.Parse("p(99) < 0.25s")
	fmt.Println(t, t.Percentile, t.Value, err)
	_, err = threshold.Parse("p99<250ms")
	fmt.Println(err)
	// Output:
	// p(99)<250ms 99 0.25 <nil>
	// load: threshold "p99<250ms": unknown metric "p99"; did you mean "p(99)"?
}
