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

// TestOrigin: the line of the go statement; where that is the library's, the user's outermost line.
func TestOrigin(t *testing.T) {
	const f, g = "\nexample.com/shop.f(0x1, 0x2)\n\t/shop/f.go:3 +0x4", "\nexample.com/shop.(*Shop).g(...)\n\t/shop/g.go:5"
	inner := "sync.(*Mutex).Lock(0x1)\n\t" + goroot("sync/mutex.go:1") + " +0x1"
	machinery := "\n" + GroundFloor + "(*T).Go.func1()\n\t/qtests/go.go:9 +0x1"
	group := "\ncreated by sync.(*WaitGroup).Go in goroutine 1\n\t" + goroot("sync/waitgroup.go:2") + " +0x5"
	for _, c := range []struct{ name, stack, want string }{
		{"the user's", inner + f + "\ncreated by example.com/shop.main in goroutine 1\n\t/shop/main.go:7 +0x6", "/shop/main.go:7  example.com/shop.main"},
		{"the library's", inner + f + g + group, "/shop/g.go:5  example.com/shop.(*Shop).g, started by sync.(*WaitGroup).Go"},
		{"through the library", inner + f + "\nsync.(*WaitGroup).Go.func1()\n\t" + goroot("sync/waitgroup.go:3") + " +0x1" + group,
			"/shop/f.go:3  example.com/shop.f, started by sync.(*WaitGroup).Go"},
		{"a method value", inner + "\nmain\n\t/shop/f.go:3" + group, "/shop/f.go:3  main, started by sync.(*WaitGroup).Go"},
		{"through the ground floor", inner + f + machinery + group, "/shop/f.go:3  example.com/shop.f, started by sync.(*WaitGroup).Go"},
		{"innermost", "main.f()\n\t/shop/f.go:3" + group, "/shop/f.go:3  main.f, started by sync.(*WaitGroup).Go"},
		{"nothing of the user", inner + group, goroot("sync/waitgroup.go:2") + "  sync.(*WaitGroup).Go"},
		{"not known", "main.f()\n\t/shop/f.go:3", "an unknown line"},
	} {
		require.Equal(t, c.want, Goroutine{Stack: c.stack}.Origin(), c.name)
	}
}

// TestUserLine: the innermost line of the user; where there is none, the innermost of all.
func TestUserLine(t *testing.T) {
	library := "sync.(*Mutex).Lock(0x1)\n\t" + goroot("sync/mutex.go:1") + " +0x1\nsync.(*Once).Do(0x1)\n\t" + goroot("sync/once.go:2") + " +0x1"
	machinery := "\n" + GroundFloor + "(*T).Sleep(0x1)\n\t/qtests/sleep.go:9 +0x1"
	require.Equal(t, "/shop/f.go:3", Goroutine{Stack: library + machinery + "\nmain.f()\n\t/shop/f.go:3 +0x1\nmain.g()\n\t/shop/g.go:4 +0x1"}.UserLine())
	require.Equal(t, goroot("sync/mutex.go:1"), Goroutine{Stack: library + machinery}.UserLine())
	require.Empty(t, Goroutine{}.UserLine())
}
