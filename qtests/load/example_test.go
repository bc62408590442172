package load_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/go-qtests/qtests/qtests/load"
	"github.com/go-qtests/qtests/qtests/load/traffic"
)

// Outside of a test a run takes real time.
func ExampleDo() {
	res, err := load.Do(context.Background(), load.Scenario{
		Traffic:    traffic.Rate(200).For(100 * time.Millisecond),
		Thresholds: []string{"errors<1%"},
		Do: func(_ context.Context, u *load.User) error {
			if u.ID() == 7 {
				return errors.New("out of stock")
			}
			return nil
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(res.Finished, "requests,", res.Errors, "error")
	for _, v := range res.Failed() {
		fmt.Println(v.Threshold, "is broken:", v.Actual)
	}
	// Output:
	// 20 requests, 1 error
	// errors<1% is broken: 5%
}
