package stacks

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWaitsIn(t *testing.T) {
	for want, stack := range map[string]string{
		"example.com/shop.(*Cart).Pay": "sync.runtime_Semacquire(0x1)\n\t/usr/go/src/runtime/sema.go:71 +0x2\nsync.(*WaitGroup).Wait(0x1)\n\t" + goroot("sync/waitgroup.go:1") +
			"\nexample.com/shop.(*Cart).Pay(0x1, 0x2)\n\t/home/shop/cart.go:7 +0x2\nexample.com/shop.main()\n\t/home/shop/main.go:1",
		"example.com/shop.bare": "example.com/shop.bare\n\t/home/shop/cart.go:7",
		"":                      "sync.(*WaitGroup).Wait(0x1)\n\t" + goroot("sync/waitgroup.go:1") + "\ncreated by example.com/shop.main in goroutine 1\n\t/home/shop/main.go:1",
	} {
		require.Equal(t, want, Goroutine{Stack: stack}.WaitsIn())
	}
}

// A goroutine of the standard library has somebody on whose behalf it runs.
func TestBehindLibrary(t *testing.T) {
	of := func(creator, place string) Goroutine {
		return Goroutine{ID: 9, Parent: 7, Stack: "database/sql.(*DB).connectionOpener(0x1)\n\t" + goroot("database/sql/sql.go:1") +
			"\ncreated by " + creator + " in goroutine 7\n\t" + place}
	}
	library := of("database/sql.OpenDB", goroot("database/sql/sql.go:2"))
	const hint = " (GODEBUG=tracebackancestors=10 names the line)"
	const opened = ", for a sql.DB that was not closed; it was opened by "
	require.Equal(t, opened+"the body of TestX, or what it calls"+hint, BehindLibrary(library, nil, 7, "TestX"))
	require.Equal(t, opened+"goroutine 7, which has ended"+hint, BehindLibrary(library, []Goroutine{{ID: 8}}, 5, "TestX"))
	require.Contains(t, BehindLibrary(library, []Goroutine{{ID: 8}, {ID: 7}}, 5, "TestX"), opened+"goroutine 7, which is now at ")
	require.Equal(t, ", on behalf of goroutine 7, which has ended"+hint, BehindLibrary(of("net/http.(*Server).Serve", goroot("net/http/server.go:2")), nil, 5, "TestX"))
	require.Empty(t, BehindLibrary(of("example.com/shop.main", "/home/shop/main.go:1"), nil, 7, "TestX"), "the stack says enough")
	library.Parent = 0
	require.Empty(t, BehindLibrary(library, nil, 7, "TestX"))
}

// goroot is the place of a file of the standard library.
func goroot(file string) string { return "/usr/go/src/" + file }
