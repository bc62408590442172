package pool

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
)

// The event log says when New begins to fail and when it works again, and not for each time.
func TestMarksOfConstruction(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		_, cfg := newItems(q, 0)
		works, failing := cfg.New, false
		cfg.New = func(ctx context.Context) (*item, error) {
			if failing {
				return nil, errors.New("refused")
			}
			return works(ctx)
		}
		cfg.Name, cfg.Max = "db", 3
		p := NewT(q, cfg)
		mustAcquire(q, p).Discard(nil)
		failing = true
		for range 3 {
			_, err := p.Acquire(q.Context())
			require.Error(q, err)
			q.Sleep(time.Minute)
		}
		failing = false
		leases := acquireN(q, p, 2)
		var got []string
		marks, _ := q.EventLog().Marks()
		for _, m := range marks {
			got = append(got, m.Source+": "+m.Text)
		}
		require.Equal(q, []string{"pool db: constructing fails: refused", "pool db: constructing again"}, got)
		require.Equal(q, "db", leases[0].Pool())
		require.Empty(q, Lease[*item]{}.Pool())
		releaseAll(leases)
	})
}

// After Close every caller is rejected and counted so, also one that would not wait.
func TestRejectedIsCounted(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		_, cfg := newItems(q, 0)
		p := NewT(q, cfg)
		require.NoError(q, p.Close(q.Context()))
		_, err := p.Acquire(q.Context())
		require.ErrorIs(q, err, ErrClosed)
		_, err = p.TryAcquire()
		require.ErrorIs(q, err, ErrClosed)
		require.EqualValues(q, 2, p.Stats().Rejected)
	})
}

// MaxIdle may be as small as Min and MinIdle, and no smaller.
func TestLeastMaxIdle(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		_, cfg := newItems(q, 0)
		cfg.Min, cfg.MinIdle, cfg.MaxIdle, cfg.Max = 2, 3, 3, 5
		p, err := New(cfg)
		require.NoError(q, err)
		require.NoError(q, p.Close(q.Context()))
		cfg.MaxIdle = 2
		_, err = New(cfg)
		require.ErrorContains(q, err, "MaxIdle")
	})
}
