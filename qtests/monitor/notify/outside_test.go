package notify_test

import (
	"context"
	"errors"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/monitor"
	"github.com/go-qtests/qtests/qtests/monitor/notify"
)

func TestOutsideOutlivesWhatItRuns(t *testing.T) {
	o := notify.NewOutside(0)
	refused := errors.New("refused")
	qtests.Run(t, func(q *qtests.T) {
		require.False(q, insideOf(o), "it runs outside the bubble")
		require.EqualError(q, o.Do(func(context.Context) error { panic("oops") }), "notify: a function outside the bubble panicked: oops")
		require.EqualError(q, o.Do(func(context.Context) error { runtime.Goexit(); return nil }),
			"notify: a function outside the bubble called runtime.Goexit")
		require.Same(q, refused, o.Do(func(context.Context) error { return refused }))
		require.Zero(q, q.Elapsed())
	})
	o.Close()
	require.ErrorIs(t, o.Do(func(context.Context) error { return nil }), monitor.ErrClosed)
}

// insideOf reports whether what o runs is in a bubble.
func insideOf(o *notify.Outside) (inside bool) {
	_ = o.Do(func(context.Context) error { inside = qtests.InBubble(); return nil })
	return inside
}
