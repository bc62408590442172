package qtests

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

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
