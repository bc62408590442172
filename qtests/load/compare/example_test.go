package compare_test

import (
	"fmt"

	"github.com/go-qtests/qtests/qtests/load/compare"
	"github.com/go-qtests/qtests/qtests/load/result"
)

func ExampleResults() {
	before := &result.Result{Scheduled: 1000, Started: 1000, Finished: 1000, Errors: 10}
	after := &result.Result{Scheduled: 1000, Started: 1000, Finished: 1000, Errors: 60}
	c := compare.Results(before, after)
	for _, d := range c.Regressions() {
		fmt.Println(d.Metric, d.Before, d.After)
	}
	fmt.Print(c)
	// Output:
	// errors 1% 6%
	// comparison: 1 figure is worse
	//   fewer than 12 intervals: requests count as independent
	//      metric       before  after  change
	//   ✗  errors           1%     6%  +500.0%  worse
	//      dropped          0%     0%  same
	//      interrupted      0%     0%  same
}
