package site

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestStandard(t *testing.T) {
	for _, c := range []struct {
		function, file string
		want           bool
	}{
		{"internal/sync.(*Mutex).Lock", "/usr/go/src/internal/sync/mutex.go", true},
		{"internal/sync.orderedAcquire", "/other/src/internal/sync/ordered.go", true},
		{"time.Sleep", "/other/src/time/sleep.go", true},
		{"runtime.goexit", "", true},
		{"runtime.gopanic", "/other/src/runtime/panic.go", true},
		{"sync.fatal", "/other/src/runtime/panic.go", true},
		{"internal/poll.runtime_pollWait", "/other/src/runtime/netpoll.go", true},
		{"main.main", "/home/me/main.go", false},
		{"shop/cart.(*Cart).Add.func1", "/home/me/shop/cart/cart.go", false},
		{"example.com/shop/cart.Add", "/home/me/src/example.com/shop/cart/cart.go", false},
		{"example.com/shop.Add[...]", "/home/me/shop/shop.go", false},
	} {
		require.Equal(t, c.want, Standard(c.function, c.file), c.function)
	}
}
