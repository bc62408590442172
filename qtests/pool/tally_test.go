package pool

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/benbjohnson/clock"
	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/tbtest"
)

// NewT says each kind of failure once, however often it happened, and when.
func TestFailuresAreLoggedOnce(t *testing.T) {
	mock := clock.NewMock()
	rec := tbtest.Run("t", func(t *tbtest.TB) {
		up := false
		p := NewT(t, Config[int]{
			Name: "db", Max: 1, Clock: mock, NoBackoff: true,
			New: func(context.Context) (int, error) {
				if up {
					return 1, nil
				}
				return 0, errRefused
			},
			OnRelease: func(int) error { return errors.New("dirty") },
		})
		for range 720 {
			mock.Set(mock.Now().Add(5 * time.Second))
			_, err := p.Acquire(bg)
			require.ErrorIs(t, err, errRefused)
		}
		up = true
		l, err := p.Acquire(bg)
		require.NoError(t, err)
		l.Release()
	})
	require.Equal(t, []string{
		"pool db: construct failed 720 times, first at 1970-01-01T00:00:05.000000Z, last at 1970-01-01T01:00:00.000000Z: connection refused",
		"pool db: release failed at 1970-01-01T01:00:00.000000Z: dirty",
	}, rec.Logs())
}

func TestTally(t *testing.T) {
	var all tally
	require.Empty(t, all.lines())
	at := func(s int) time.Time { return time.Unix(int64(s), 0) }
	all.add(Report{Kind: LeaseOverdue, At: at(1)})
	require.Empty(t, all.lines(), "leases are logged one by one")
	all.add(Report{Kind: DestroyFailed, At: at(2), Err: errors.New("a")})
	all.add(Report{Kind: CheckFailed, At: at(3), Err: errors.New("b")})
	all.add(Report{Kind: CheckFailed, At: at(4), Err: errors.New("c")})
	require.Equal(t, []string{
		"check failed 2 times, first at 1970-01-01T00:00:03.000000Z, last at 1970-01-01T00:00:04.000000Z: c",
		"destroy failed at 1970-01-01T00:00:02.000000Z: a",
	}, all.lines())
}
