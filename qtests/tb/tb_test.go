package tb_test

import (
	"os"
	"testing"
	"testing/synctest"

	"github.com/benbjohnson/clock"
	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/internal/bubble"
	"github.com/go-qtests/qtests/qtests/internal/settings"
	"github.com/go-qtests/qtests/qtests/tb"
	"github.com/go-qtests/qtests/qtests/tbtest"
)

func TestWhatAPlainTestLacks(t *testing.T) {
	var dir string
	r := tbtest.Run("plain", func(r *tbtest.TB) {
		require.False(t, bubble.TieFree(tb.ClockOf(r)))
		require.Equal(t, settings.Seed.Get(), tb.SeedOf(r))
		require.Nil(t, tb.EventLogOf(r))
		require.NoError(t, tb.ContextOf(r).Err())
		tb.AttrOf(r, "key", "value")
		dir = tb.ArtifactDirOf(r)
		require.DirExists(t, dir)
		require.Equal(t, tb.NewStream(tb.SeedOf(r), "x"), tb.StreamOf(r, "x"))
	})
	require.False(t, r.Failed())
	_, err := os.Stat(dir)
	require.ErrorIs(t, err, os.ErrNotExist)

	qtests.Run(t, func(q *qtests.T) {
		require.True(q, bubble.TieFree(tb.ClockOf(q)))
		require.Equal(q, q.Seed(), tb.SeedOf(q))
		require.Same(q, q.EventLog(), tb.EventLogOf(q))
		require.Equal(q, q.Context(), tb.ContextOf(q))
		require.DirExists(q, tb.ArtifactDirOf(q))
	})
}

// hiding is a test with the methods of tb.TB and no other, as a library makes one around
// the test that it is given.
type hiding struct{ tb.TB }

func TestATestThatHidesTheBubbleGetsIt(t *testing.T) {
	// Two bubbles at once: each finds its own.
	for _, name := range []string{"one", "other"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			qtests.Run(t, func(q *qtests.T) {
				found := make(chan clock.Clock)
				go func() { found <- tb.ClockOf(hiding{q}) }()
				require.Same(q, q.Clock(), <-found, "in another goroutine of the bubble")
				require.Same(q, q.Clock(), tb.ClockOf(hiding{q}))
				require.Equal(q, q.Seed(), tb.SeedOf(hiding{q}))
				require.Equal(q, q.Stream("x"), tb.StreamOf(hiding{q}, "x"))
				require.Same(q, q.EventLog(), tb.EventLogOf(hiding{q}))
				require.Equal(q, q.Context(), tb.ContextOf(hiding{q}))
			})
		})
	}
}

func TestATestInAPlainBubbleHasPackageTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, test := range []tb.TB{t, hiding{t}} {
			require.Equal(t, clock.New(), tb.ClockOf(test))
			require.Nil(t, tb.EventLogOf(test))
		}
	})
}

func TestTheTestOutsideFindsTheLogInside(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		require.Same(q, q.EventLog(), tb.EventLogOf(t), "what is written inside belongs to the bubble")
		require.Equal(q, q.Seed(), tb.SeedOf(t))
	})

}
