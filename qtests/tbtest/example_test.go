package tbtest_test

import (
	"fmt"

	"github.com/go-qtests/qtests/qtests/tb"
	"github.com/go-qtests/qtests/qtests/tbtest"
)

// A helper that fails tests is tested on its failing path, too.
func Example() {
	requirePositive := func(t tb.TB, n int) {
		t.Helper()
		if n <= 0 {
			t.Errorf("%d is not positive", n)
			t.FailNow()
		}
	}
	t := tbtest.Run("helper", func(t *tbtest.TB) {
		t.Cleanup(func() { fmt.Println("cleanups run") })
		requirePositive(t, -1)
		fmt.Println("not reached: FailNow has ended the goroutine")
	})
	fmt.Println(t.Failed(), t.Errors())
	// Output:
	// cleanups run
	// true -1 is not positive
}
