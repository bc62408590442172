package search

import (
	"context"
	"errors"
	"flag"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/load"
	"github.com/go-qtests/qtests/qtests/tb"
	"github.com/go-qtests/qtests/qtests/tbtest"
)

// TestMain runs the tests at full scale, whose outcome they know, also under -short and
// QTESTS_SCALE. The flag still wins.
func TestMain(m *testing.M) {
	if err := flag.Set("qtests.scale", "1"); err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(m)
}

// atScale runs the rest of the test as under -qtests.scale.
func atScale(t *testing.T, scale string) {
	t.Helper()
	before := flag.Lookup("qtests.scale").Value.String()
	require.NoError(t, flag.Set("qtests.scale", scale))
	t.Cleanup(func() { require.NoError(t, flag.Set("qtests.scale", before)) })
}

// in runs a scenario inside a bubble, with a test that records.
func in(t *testing.T, f func(q *qtests.T, rec tb.TB)) *tbtest.TB {
	t.Helper()
	var rec *tbtest.TB
	qtests.Run(t, func(q *qtests.T) {
		rec = tbtest.Run("inner", func(tb *tbtest.TB) { f(q, tb) })
	})
	return rec
}

// serve is a step that takes d.
func serve(d time.Duration) func(context.Context, *load.User) error {
	return func(ctx context.Context, u *load.User) error { return u.Sleep(ctx, d) }
}

// whileDown is a step that fails while down.
func whileDown(down *atomic.Bool) func(context.Context, *load.User) error {
	return func(context.Context, *load.User) error {
		if down.Load() {
			return errors.New("down")
		}
		return nil
	}
}
