package qtests

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// TestTimersOfPackageTimeThatAreDueAtOnce: they fire at once, in the middle of what runs, also behind a wait of the clock that set no
// timer, because its deadline had passed. A timer of the clock fires when all has come to rest.
func TestTimersOfPackageTimeThatAreDueAtOnce(t *testing.T) {
	for name, before := range map[string]func(q *T){
		"nothing before": func(*T) {},
		"a deadline that has passed": func(q *T) {
			ctx, cancel := q.Clock().WithDeadline(context.Background(), q.Clock().Now())
			defer cancel()
			require.ErrorIs(q, ctx.Err(), context.DeadlineExceeded)
		},
		"a sleep of no time": func(q *T) { q.Clock().Sleep(0) },
	} {
		t.Run(name, func(t *testing.T) {
			onOrdered(t)
			Run(t, func(q *T) {
				order := make(chan string, 3)
				before(q)
				time.AfterFunc(0, func() { order <- "package time's" })
				q.Clock().AfterFunc(0, func() { order <- "the clock's" })
				go func() { order <- "a goroutine" }()
				synctest.Wait()
				q.Sleep(1)
				require.Equal(q, []string{"package time's", "a goroutine", "the clock's"}, []string{<-order, <-order, <-order})
			})
		})
	}
}
