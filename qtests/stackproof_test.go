package qtests

import (
	"context"
	"runtime/pprof"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/internal/stacks"
	"github.com/go-qtests/qtests/qtests/tbtest"
)

// A form that nobody reads fails every test that relies on it, and runs no body.
func TestProofsFail(t *testing.T) {
	for _, name := range []string{"Run", "Plain", "CheckLeaks", "LimitGoroutines"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out, passed := runChild(t, "^TestChildUnreadable$/^"+name+"$")
			require.False(t, passed)
			require.Contains(t, out, "prints goroutines in a form that this version of qtests does not read")
			require.Contains(t, out, "\n        goroutine 7 <running>:")
			require.NotContains(t, out, "never printed")
			require.NotContains(t, out, "panic:")
		})
	}
}

func TestChildUnreadable(t *testing.T) {
	child(t)
	for _, p := range []*stacks.Proof{&stacks.BubbleProof, &stacks.LabelProof} {
		p.Of(func() string { return stacks.Unreadable([]byte("goroutine 7 <running>:")) })
	}
	t.Run("Run", func(t *testing.T) { Run(t, func(q *T) { q.Log("never printed") }) })
	t.Run("Plain", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) { CheckLeaks(t); t.Log("never printed") })
	})
	t.Run("CheckLeaks", func(t *testing.T) { CheckLeaks(t); t.Log("never printed") })
	t.Run("LimitGoroutines", func(t *testing.T) { LimitGoroutines(t, 1); t.Log("never printed") })
}

// Labels that the runtime prints in every header, as it does by default where
// the main module says go 1.27, whatever they hold.
func TestLabelsByDefault(t *testing.T) {
	t.Setenv("CHILD_ENV", "GODEBUG=tracebacklabels=1")
	out, passed := runChild(t, "^TestChildLabelled$")
	require.True(t, passed, out)
}

func TestChildLabelled(t *testing.T) {
	child(t)
	long := strings.Repeat("long ", 1000)
	for i, labels := range [][]string{
		{"handler", "/cart"}, {"a", "]:", "b", `", synctest bubble 7]`}, {"", ""}, {"k", "]\n\ngoroutine 1 [running]:\n"}, {long, long},
	} {
		pprof.Do(t.Context(), pprof.Labels(labels...), func(context.Context) {
			require.False(t, InBubble())
			require.Zero(t, stacks.This().Bubble)
			Run(t, func(q *T) {
				require.True(q, InBubble())
				require.NotZero(q, stacks.This().Bubble)
				release := make(chan int)
				go func() { <-release }()
				q.Wait()
				left := q.home.Leftovers()
				require.Len(q, left, 1)
				require.True(q, left[0].Durable)
				close(release)
			})
			if i > 1 {
				return // half a second each
			}
			r := tbtest.Run("TestLabelled", func(r *tbtest.TB) {
				CheckLeaks(r)
				leave(t, 2)
			})
			require.Contains(t, r.Errors(), "TestLabelled left 2 goroutines behind")
		})
	}
}
