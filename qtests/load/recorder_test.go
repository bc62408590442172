package load

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/load/accesslog"
	"github.com/go-qtests/qtests/qtests/load/traffic"
)

// TestRecorderTellsAHundredNamesApart counts 150 names of each kind twice.
func TestRecorderTellsAHundredNamesApart(t *testing.T) {
	r := newRecorder(time.Minute)
	for range 2 {
		for i := range 150 {
			name := fmt.Sprint("n", i)
			r.route(name).count(0, 0, 0, false)
			r.tag(tag{"key", name}).count(0, 0, 0, false)
			r.check(name, i%2 == 0)
			r.fault(name, "step", "text", 0)
		}
	}
	require.Len(t, r.stepOrder, 101)
	require.Len(t, r.tagOrder, 101)
	require.Len(t, r.checks, 101)
	require.Len(t, r.faults, 101)
	require.EqualValues(t, 2, r.steps["n99"].finished)
	require.EqualValues(t, 100, r.steps[other].finished)
	require.Equal(t, "key=other", r.tagOrder[100].name)
	require.EqualValues(t, 100, r.tagOrder[100].finished)
	require.Equal(t, checkTally{other, 50, 100}, *r.checks[other])
	require.EqualValues(t, 100, r.faults[other].count)
	require.Equal(t, other, r.faults[other].kind)

	for i := range 150 { // keys are bounded as well
		r.tag(tag{fmt.Sprint("k", i), "v"}).count(0, 0, 0, false)
	}
	require.Len(t, r.tagOrder, 201)
	require.Equal(t, "other=other", r.tagOrder[200].name)
	require.EqualValues(t, 51, r.tagOrder[200].finished)
}

func TestRecorderTellsAHundredPartsApart(t *testing.T) {
	r := newRecorder(time.Minute)
	for range 2 {
		for i := range 150 {
			r.step(fmt.Sprint("n", i), true).count(0, 0, 0, false)
		}
	}
	require.Len(t, r.stepOrder, 101)
	require.EqualValues(t, 100, r.steps[other].finished)
	require.True(t, r.steps[other].part)
	r.route("late").count(0, 0, 0, false)
	require.False(t, r.steps[other].part, "requests are not counted as a part")
	require.EqualValues(t, 1, r.steps[other].finished)
	r.step("n149", true).count(0, 0, 0, false)
	require.EqualValues(t, 101, r.steps[other+" (part)"].finished)
	require.Len(t, r.stepOrder, 102)

	r = newRecorder(time.Minute)
	for i := range 150 {
		r.route(fmt.Sprint("n", i))
	}
	require.Equal(t, other+" (part)", r.step("p", true).name)
}

// TestPartsHaveTheirOwnTally gives a part the name of a step, of the only step, and
// of a route that comes later.
func TestPartsHaveTheirOwnTally(t *testing.T) {
	do := func(ctx context.Context, u *User) error {
		for range 2 {
			_ = u.Part(ctx, "load", func(context.Context) error { return errors.New("no") })
		}
		return nil
	}
	replay := traffic.Replay([]accesslog.Entry{{At: second(0)}, {At: second(1)}, {At: second(2)}})
	qtests.Run(t, func(q *qtests.T) {
		for _, s := range []Scenario{
			{Traffic: traffic.Rate(1).For(3 * time.Second), Do: do},
			{Traffic: traffic.Rate(1).For(3 * time.Second), Steps: []Step{{Name: "load", Do: do}}},
			{Traffic: replay, Do: do, Route: func(accesslog.Entry) string { return "load" }},
		} {
			res := Run(q, s)
			step, _ := res.Step("load")
			require.EqualValues(q, []int64{res.Finished, 3, 3, 0}, []int64{step.Finished, step.Finished, step.Started, step.Errors})
			part, ok := res.Step("load (part)")
			require.True(q, ok && part.Part && !step.Part)
			require.EqualValues(q, []int64{6, 6, 6}, []int64{part.Started, part.Finished, part.Errors})
			require.Len(q, res.Steps, 2)
		}
	})
	r := newRecorder(time.Minute)
	r.step("a", true).count(0, 0, 0, false)
	r.step("a (part)", true).count(0, 0, 0, false)
	require.False(t, r.route("a").part)
	require.Len(t, r.stepOrder, 3)
	require.Len(t, r.steps, 3, "neither of the parts is lost")
}
