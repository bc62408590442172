package chaos_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/chaos"
	"github.com/go-qtests/qtests/qtests/event"
)

// told returns events that say what they do, and what they have said.
func told(q *qtests.T) (happen func(name string) event.Event, said func() string) {
	var lines []string
	say := func(text string) func() {
		return func() { lines = append(lines, fmt.Sprintf("%v %s", q.Elapsed().Truncate(time.Millisecond), text)) }
	}
	return func(name string) event.Event { return event.New(name, say(name+"+"), say(name+"-")) },
		func() string { return strings.Join(lines, ", ") }
}

// A seed is a plan, on either runtime.
func TestPlanComesFromTheSeed(t *testing.T) {
	run := func() (out, plan string) {
		qtests.Run(t, func(q *qtests.T) {
			happen, said := told(q)
			q.Sleep(time.Second)
			p := chaos.NewT(q, chaos.Config{Within: 10 * time.Second, Faults: []chaos.Fault{
				{Event: happen("a"), Chance: 1, Most: 2, Longest: 2 * time.Second},
				{Event: happen("b"), Chance: 1, From: 9 * time.Second, Longest: time.Minute, Shortest: time.Minute},
				{Event: happen("never"), Chance: 1e-300},
			}})
			q.Sleep(15 * time.Second)
			p.Stop()
			p.Stop()
			out, plan = said(), p.String()
			require.Equal(q, 3, strings.Count(plan, "\n"), plan)
			require.NotContains(q, plan, "never")
		})
		return out, plan
	}
	first, plan := run()
	again, planAgain := run()
	require.Equal(t, [2]string{first, plan}, [2]string{again, planAgain})
	require.True(t, strings.HasSuffix(first, ", 16s b-"), "what has begun ends with Stop: %s", first)
	require.Equal(t, 2, strings.Count(first, "a+"), first)
	require.Equal(t, 2, strings.Count(first, "a-"), first)
}

func TestPlanEndsWithTheTest(t *testing.T) {
	up := 0
	qtests.Run(t, func(q *qtests.T) {
		chaos.NewT(q, chaos.Config{Name: "x", Within: time.Second, Faults: []chaos.Fault{
			{Event: event.New("x", func() { up++ }, func() { up-- }), Chance: 1, Longest: time.Hour, Shortest: time.Hour},
			{Event: event.New("x", func() { up += 10 }, func() { up -= 10 }), Chance: 1, Longest: time.Hour, Shortest: time.Hour},
		}})
		q.Sleep(time.Second)
		require.Equal(q, 11, up, "two faults of one name are two")
	})
	require.Zero(t, up)
}
