package shed_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/go-qtests/qtests/qtests/shed"
)

// Two requests at once, and nobody waits: a third is refused with the reason.
func Example() {
	gate, err := shed.New(shed.Config{Name: "checkout", Limit: shed.Fixed(2)})
	if err != nil {
		panic(err)
	}
	ctx := context.Background()
	first, err := gate.Acquire(ctx, "")
	fmt.Println(err)
	second, err := gate.Acquire(ctx, "")
	fmt.Println(err)
	_, err = gate.Acquire(ctx, "")
	fmt.Println(errors.Is(err, shed.ErrRefused), err)
	first.Done(false)
	second.Done(false)
	s := gate.Stats()
	fmt.Println("offered", s.Offered, "served", s.Served, "refused", s.Refused)
	// Output:
	// <nil>
	// <nil>
	// true shed: checkout refused: over the limit
	// offered 3 served 2 refused 1
}
