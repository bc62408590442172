package bench

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-qtests/qtests/bench/internal/compare"
	"github.com/go-qtests/qtests/qtests"
)

func bubbles() compare.Group {
	g := compare.Group{
		Name: "bubble",
		About: "One operation is one bubble of fake time, opened and closed, with a body that does nothing, or waits for a second of fake\n" +
			"time. A suite has thousands of them. `qtests.Run` adds to `synctest.Test` the clock, the watchdog, the leak check and what keeps a\n" +
			"failure from ending the process: a goroutine, a ticker and a few objects. It looks at goroutines only when the runtime says that\n" +
			"some are left, so that its cost does not depend on what else is in the process.",
	}
	for _, row := range []struct {
		name   string
		others int
		ours   func(q *qtests.T)
		plain  func(t *testing.T)
	}{
		{"empty body", 0, func(*qtests.T) {}, func(*testing.T) {}},
		{"empty body, beside 5,000 goroutines", 5000, func(*qtests.T) {}, func(*testing.T) {}},
		{"a sleep", 0, func(q *qtests.T) { q.Sleep(time.Second) }, func(*testing.T) { time.Sleep(time.Second); synctest.Wait() }},
	} {
		g.Comparisons = append(g.Comparisons, compare.Comparison{
			Name:  row.name,
			Setup: func(t testing.TB) { crowd(t, row.others) },
			Contestants: []compare.Contestant{
				compare.Ours(compare.Timed(bubbled(func(t *testing.T) { qtests.Run(t, row.ours) }))),
				compare.Peer("synctest", compare.Timed(bubbled(func(t *testing.T) { synctest.Test(t, row.plain) }))),
			},
			Figures: []compare.Figure{compare.TimeOf(compare.Times(3, "synctest")), compare.AllocationsOf()},
			Why:     whyBubble,
		})
	}
	return g
}

const whyBubble = "A panic of the runtime at the end of a bubble, or a bubble that stands still, must not take the test along: ours has a goroutine " +
	"of its own around it, and a ticker beside. `q.Sleep` adds a look at what else is due at that instant."

// bubbled calls once as often as it is told, in one test.
func bubbled(once func(t *testing.T)) func(testing.TB) func(n int) error {
	return func(testing.TB) func(n int) error {
		return func(n int) error {
			return inTest(func(t *testing.T) {
				for range n {
					once(t)
				}
			})
		}
	}
}
