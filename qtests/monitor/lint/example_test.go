package lint_test

import (
	"fmt"
	"time"

	"github.com/go-qtests/qtests/qtests/monitor"
	"github.com/go-qtests/qtests/qtests/monitor/lint"
)

// Rules that are written in Go. [lint.Require] does the same for rule files, in a test.
func ExampleRules() {
	found, err := lint.Rules(lint.Config{Interval: 15 * time.Second}, []monitor.Rule{
		{Name: "CheckoutFails", Expr: `rate(checkout_errors_total[15s]) > 0.1`, For: 5 * time.Minute},
		{Name: "CheckoutSlow", Expr: `histogram_quantile(0.99, sum by (job) (rate(checkout_seconds_bucket[5m]))) > 1`, For: 10 * time.Second},
		{Name: "QueueFull", Expr: `queue_length > 100`, For: 5 * time.Minute},
	})
	if err != nil {
		fmt.Println(err)
	}
	for _, f := range found {
		fmt.Println(f)
	}
	// Output:
	// CheckoutFails: range: rate(checkout_errors_total[15s]) never has two samples, which are 15s apart
	// CheckoutSlow: for: for: 10s is shorter than the 15s between two evaluations: the alert fires at the second one, as with for: 15s
	// CheckoutSlow: buckets: histogram_quantile(0.99, sum by (job) (rate(checkout_seconds_bucket[5m]))) has no result: an aggregation took away the label le
}
