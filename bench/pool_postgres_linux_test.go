package bench

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/pool"
)

// postgresPool is the pool of the tests, unchanged, holding real connections.
func postgresPool(t *testing.T, url string) *pool.Pool[*pgx.Conn] {
	return pool.NewT(t, pool.Config[*pgx.Conn]{
		Name: "postgres",
		Max:  4,
		New: func(ctx context.Context) (*pgx.Conn, error) {
			return pgx.Connect(ctx, url+"&application_name=pooled")
		},
		Destroy:        func(c *pgx.Conn) { _ = c.Close(context.Background()) },
		Check:          func(ctx context.Context, c *pgx.Conn) error { return c.Ping(ctx) },
		CheckAfterIdle: 1, // on every acquire of an idle connection
		OnReport:       func(r pool.Report) { t.Logf("report: %v", r) },
	})
}

func backend(ctx context.Context, c *pgx.Conn) (pid int, err error) {
	return pid, c.QueryRow(ctx, "SELECT pg_backend_pid()").Scan(&pid)
}

func TestPoolOfPostgresConnections(t *testing.T) {
	url, ctx := startPostgres(t), context.Background()
	observer, err := pgx.Connect(ctx, url)
	require.NoError(t, err)
	defer observer.Close(ctx)
	connections := func() (n int) {
		err := observer.QueryRow(ctx, "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pooled'").Scan(&n)
		require.NoError(t, err)
		return n
	}
	p := postgresPool(t, url)

	const callers, queries = 32, 20
	pids := queryInParallel(t, p, callers, queries)
	require.LessOrEqual(t, len(pids), 4)
	require.LessOrEqual(t, connections(), 4)
	s := p.Stats()
	require.EqualValues(t, callers*queries, s.Acquired)
	// One that takes long to connect may come when no query is left.
	require.GreaterOrEqual(t, s.Constructed, uint64(len(pids)))
	require.LessOrEqual(t, s.Constructed, uint64(4))
	t.Logf("%d queries over %d connections, %d callers waited", s.Acquired, len(pids), s.Waited)

	t.Run("broken in use", func(t *testing.T) {
		err := p.Do(ctx, func(ctx context.Context, c *pgx.Conn) error {
			pid, err := backend(ctx, c)
			require.NoError(t, err)
			kill(t, observer, pid)
			_, err = backend(ctx, c)
			require.Error(t, err)
			return fmt.Errorf("%w: %w", pool.ErrBroken, err)
		})
		require.ErrorIs(t, err, pool.ErrBroken)
		require.EqualValues(t, 1, p.Stats().DestroyedDiscarded)
	})
	t.Run("broken while idle", func(t *testing.T) {
		idle := p.AcquireAllIdle()
		killed := len(idle)
		for _, l := range idle {
			pid, err := backend(ctx, l.Value())
			require.NoError(t, err)
			kill(t, observer, pid)
			l.Release()
		}
		require.NoError(t, p.Do(ctx, func(ctx context.Context, c *pgx.Conn) error {
			_, err := backend(ctx, c)
			return err
		}), "the check on acquire finds a connection that works")
		require.NotZero(t, p.Stats().DestroyedCheck)
		require.LessOrEqual(t, p.Stats().DestroyedCheck, uint64(killed))
	})
	t.Run("close", func(t *testing.T) {
		require.NoError(t, p.Close(ctx))
		s := p.Stats()
		require.Equal(t, s.Constructed, s.Destroyed)
		_, err := p.Acquire(ctx)
		require.ErrorIs(t, err, pool.ErrClosed)
	})
}

// queryInParallel returns how often each server process answered.
func queryInParallel(t *testing.T, p *pool.Pool[*pgx.Conn], callers, queries int) map[int]int {
	var mu sync.Mutex
	var wg sync.WaitGroup
	var errs []error
	pids := map[int]int{}
	for range callers {
		wg.Go(func() {
			for range queries {
				err := p.Do(context.Background(), func(ctx context.Context, c *pgx.Conn) error {
					pid, err := backend(ctx, c)
					mu.Lock()
					defer mu.Unlock()
					pids[pid]++
					return err
				})
				mu.Lock()
				errs = append(errs, err)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	require.NoError(t, errors.Join(errs...))
	return pids
}

// kill ends a server process and returns once it has gone.
func kill(t *testing.T, observer *pgx.Conn, pid int) {
	var gone bool
	require.NoError(t, observer.QueryRow(context.Background(), "SELECT pg_terminate_backend($1, 10000)", pid).Scan(&gone))
	require.True(t, gone)
}
