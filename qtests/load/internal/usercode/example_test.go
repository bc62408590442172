package usercode_test

import (
	"fmt"

	"github.com/go-qtests/qtests/qtests/load/internal/usercode"
)

// What ended the function of the user is found when it does not return.
func Example() {
	call := func(f func()) (err error) {
		returned := false
		defer func() {
			if !returned {
				err, _ = usercode.Cause(recover())
			}
		}()
		f()
		returned = true
		return nil
	}
	fmt.Println(call(func() {}))
	fmt.Println(call(func() { panic("out of stock") }))
	// Output:
	// <nil>
	// panic: out of stock
}
