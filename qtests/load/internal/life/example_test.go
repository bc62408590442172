package life_test

import (
	"context"
	"fmt"

	"github.com/go-qtests/qtests/qtests/load/internal/life"
)

func Example() {
	values := context.Background()
	l := &life.Life{Parent: &values}
	child, cancel := context.WithCancel(l)
	defer cancel()
	l.Cancel()
	fmt.Println(l.Err(), "and", child.Err())
	// Output:
	// context canceled and context canceled
}
