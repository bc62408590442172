package qtests

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestDescribeAlikeShowsEveryKind(t *testing.T) {
	var all []goroutine
	for i := range 2 * wholeStacks {
		for n := range 3 {
			all = append(all, goroutine{id: uint64(10*i + n), state: "select",
				stack: fmt.Sprintf("main.f%d(0x%d)\n\t/a.go:%d +0x%d\ncreated by main.g in goroutine %d", i, n, i, n, n)})
		}
	}
	text := describeAlike(all, func(g goroutine) string { return fmt.Sprintf(" of %d", g.id) })
	for i := range 2 * wholeStacks {
		require.Contains(t, text, fmt.Sprintf("goroutine %d [select] of %d\n", 10*i, 10*i))
		require.Equal(t, i < wholeStacks, strings.Contains(text, fmt.Sprintf("main.f%d(", i)))
	}
	require.Equal(t, 2*wholeStacks, strings.Count(text, "… and 2 more like it"))
}

func TestAncestorLine(t *testing.T) {
	const stack = "database/sql.(*DB).connectionOpener(0x1)\n\t/x/sql.go:1 +0x1\ncreated by database/sql.OpenDB in goroutine 7\n\t/x/sql.go:2 +0x2\n" +
		"[originating from goroutine 7]:\nshop.Open(...)\n\t/shop/db.go:12 +0x3\ncreated by main.main\n\t/shop/main.go:1 +0x4\n"
	require.Equal(t, "/shop/db.go:12  shop.Open", ancestorLine(stack))
	require.Empty(t, ancestorLine(strings.ReplaceAll(stack, "[originating", "originating")))
	require.Empty(t, ancestorLine("[originating from goroutine 7]:\n"))
	require.Empty(t, ancestorLine("[originating from goroutine 7]:\ncreated by main.main\n\t/shop/main.go:1 +0x4\n"))
}

// A nowhere is a database that is never reached.
type nowhere struct{}

func (nowhere) Connect(context.Context) (driver.Conn, error) { return nil, driver.ErrBadConn }
func (nowhere) Driver() driver.Driver                        { return nil }

//go:noinline
func openShop() *sql.DB { return sql.OpenDB(nowhere{}) }

func TestLeakNamesWhoOpenedADB(t *testing.T) {
	const what = "for a sql.DB that was not closed; it was opened by "
	for _, c := range []struct{ name, env, want string }{
		{"Body", "", what + "the body of TestChildDB/Body, or what it calls (GODEBUG=tracebackancestors=10 names the line)"},
		{"Go", "", what + "goroutine "},
		{"Ended", "", ", which has ended"},
		{"Body", "GODEBUG=tracebackancestors=10", "  github.com/go-qtests/qtests/qtests.openShop"},
		{"Ended", "GODEBUG=tracebackancestors=10", "  github.com/go-qtests/qtests/qtests.openShop"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Setenv("CHILD_ENV", c.env)
			out, passed := runChild(t, "^TestChildDB$/^"+c.name+"$")
			require.False(t, passed)
			require.Contains(t, out, what)
			require.Contains(t, out, c.want)
			require.Equal(t, c.name == "Go", strings.Contains(out, ", which is now at "))
		})
	}
}

func TestChildDB(t *testing.T) {
	child(t)
	t.Run("Body", func(t *testing.T) { Run(t, func(*T) { openShop() }) })
	t.Run("Go", func(t *testing.T) {
		Run(t, func(q *T) { q.Go(func() { openShop(); <-make(chan int) }); q.Sleep(time.Second) })
	})
	t.Run("Ended", func(t *testing.T) { Run(t, func(q *T) { q.Go(func() { openShop() }); q.Sleep(time.Second) }) })
}
