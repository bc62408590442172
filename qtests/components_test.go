package qtests_test

import (
	"context"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/breaker"
	"github.com/go-qtests/qtests/qtests/monitor"
	"github.com/go-qtests/qtests/qtests/pool"
	"github.com/go-qtests/qtests/qtests/tb"
)

// TestChildComponents is run by TestComponentsOfTwoBubbles: one pool, one breaker and
// one monitor, in two bubbles at once.
func TestChildComponents(t *testing.T) {
	if os.Getenv("QTESTS_CHILD") == "" {
		t.Skip("runs in a process of its own, started by other tests")
	}
	p, err := pool.New(pool.Config[int]{Name: "db", Max: 1, New: func(context.Context) (int, error) { return 1, nil }})
	require.NoError(t, err)
	b, err := breaker.New(breaker.Config{Name: "payments"})
	require.NoError(t, err)
	m, err := monitor.New(monitor.Config{Disabled: true})
	require.NoError(t, err)
	use := func() []error {
		lease, poolErr := p.Acquire(context.Background())
		if poolErr == nil {
			lease.Release()
		}
		return []error{poolErr, b.Do(context.Background(), func(context.Context) error { return nil }), m.Scrape()}
	}
	used, refused, done := make(chan bool, 2), make(chan bool, 1), make(chan bool)
	go func() {
		defer close(done)
		defer func() { used <- true }() // also when it fails
		t.Run("first", func(t *testing.T) {
			qtests.Run(t, func(q *qtests.T) {
				for _, err := range use() {
					require.NoError(q, err)
				}
				used <- true
				<-refused
			})
		})
	}()
	t.Run("second", func(t *testing.T) {
		<-used
		defer func() { refused <- true }()
		qtests.Run(t, func(q *qtests.T) {
			for _, err := range use() {
				require.ErrorIs(q, err, tb.ErrTwoBubbles)
			}
		})
	})
	<-done
	require.NoError(t, p.Close(context.Background()))
}
