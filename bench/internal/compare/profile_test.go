package compare

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// burn uses the processors for so long.
//
//go:noinline
func burn(d time.Duration) {
	for start := time.Now(); time.Since(start) < d; {
		continue
	}
}

func burning(per time.Duration) Work {
	return Timed(func(testing.TB) func(n int) error {
		return func(n int) error { burn(time.Duration(n) * per); return nil }
	})
}

// TestProfileWorst profiles what is farthest behind, and of what does no work here
// nothing: a sleep stands for another process.
func TestProfileWorst(t *testing.T) {
	named := func(name string, ours float64, work Work, f Figure) *Result {
		r := result(f, map[string][]float64{OursName: {ours}, "peer": {1}}, Ours(work), Peer("peer", Work{}))
		r.Name = name
		return r
	}
	asleep := Timed(func(testing.TB) func(n int) error {
		return func(n int) error { time.Sleep(time.Duration(n) * time.Millisecond); return nil }
	})
	times := Figure{Unit: Nanoseconds, Targets: []Target{Times(1, "peer")}}
	r := &Report{Groups: []GroupResult{{Group: &Group{Name: "things"}, Results: []*Result{
		named("a little behind", 1.2, burning(time.Millisecond), times), named("ahead", 0.9, burning(time.Millisecond), times),
		named("far behind", 3, burning(time.Millisecond), times), named("elsewhere", 9, asleep, times),
		named("not a time", 9, burning(time.Millisecond), Figure{Targets: []Target{Times(1, "peer")}}),
	}}}}
	var order []string
	for _, c := range r.farthestBehind() {
		order = append(order, c.Comparison)
	}
	require.Equal(t, []string{"elsewhere", "far behind", "a little behind"}, order)
	// A share of the machine may be so small that it finds nothing at all.
	r.profileWorst(t, 1, 200*time.Millisecond, `compare\.burn$`)
	for _, p := range r.Profiles {
		require.NotEqual(t, "elsewhere", p.Comparison)
		require.Regexp(t, `^ +flat .*\n.*compare\.burn`, p.Text)
	}
}
