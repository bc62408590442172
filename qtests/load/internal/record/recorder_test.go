package record

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestRecorderTellsAHundredNamesApart counts 150 names of each kind twice.
func TestRecorderTellsAHundredNamesApart(t *testing.T) {
	r := New(time.Minute)
	for range 2 {
		for i := range 150 {
			name := fmt.Sprint("n", i)
			r.Route(name).count(0, 0, 0, false)
			r.Tag(Tag{"key", name}).count(0, 0, 0, false)
			r.Check(name, i%2 == 0)
			r.fault(name, "step", "text", 0)
		}
	}
	require.Len(t, r.StepOrder, 101)
	require.Len(t, r.TagOrder, 101)
	require.Len(t, r.Checks, 101)
	require.Len(t, r.faults, 101)
	require.EqualValues(t, 2, r.Steps["n99"].Finished)
	require.EqualValues(t, 100, r.Steps[other].Finished)
	require.Equal(t, "key=other", r.TagOrder[100].Name)
	require.EqualValues(t, 100, r.TagOrder[100].Finished)
	require.Equal(t, checkTally{other, 50, 100}, *r.Checks[other])
	require.EqualValues(t, 100, r.faults[other].count)
	require.Equal(t, other, r.faults[other].kind)

	for i := range 150 { // keys are bounded as well
		r.Tag(Tag{fmt.Sprint("k", i), "v"}).count(0, 0, 0, false)
	}
	require.Len(t, r.TagOrder, 201)
	require.Equal(t, "other=other", r.TagOrder[200].Name)
	require.EqualValues(t, 51, r.TagOrder[200].Finished)
}

func TestRecorderTellsAHundredPartsApart(t *testing.T) {
	r := New(time.Minute)
	for range 2 {
		for i := range 150 {
			r.Step(fmt.Sprint("n", i), true).count(0, 0, 0, false)
		}
	}
	require.Len(t, r.StepOrder, 101)
	require.EqualValues(t, 100, r.Steps[other].Finished)
	require.True(t, r.Steps[other].Part)
	r.Route("late").count(0, 0, 0, false)
	require.False(t, r.Steps[other].Part, "requests are not counted as a part")
	require.EqualValues(t, 1, r.Steps[other].Finished)
	r.Step("n149", true).count(0, 0, 0, false)
	require.EqualValues(t, 101, r.Steps[other+" (part)"].Finished)
	require.Len(t, r.StepOrder, 102)

	r = New(time.Minute)
	for i := range 150 {
		r.Route(fmt.Sprint("n", i))
	}
	require.Equal(t, other+" (part)", r.Step("p", true).Name)
}

// A route that comes later takes the name of a part, and the part gets another one.
func TestRouteTakesTheNameOfAPart(t *testing.T) {
	r := New(time.Minute)
	r.Step("a", true).count(0, 0, 0, false)
	r.Step("a (part)", true).count(0, 0, 0, false)
	require.False(t, r.Route("a").Part)
	require.Len(t, r.StepOrder, 3)
	require.Len(t, r.Steps, 3, "neither of the parts is lost")
}

// A scenario has a thousand steps, and the first twenty have a curve.
func TestRecorderTellsAThousandStepsApart(t *testing.T) {
	r := New(time.Minute)
	for i := range MaxSteps {
		require.Equal(t, fmt.Sprint("n", i), r.Step(fmt.Sprint("n", i), false).Name)
	}
	require.Equal(t, other, r.Step("late", false).Name)
	require.NotNil(t, r.Steps["n19"].curve)
	require.Nil(t, r.Steps["n20"].curve)
}

// Of a single step nothing is counted twice, and a part that was made and never ended is no step.
func TestOnlyStep(t *testing.T) {
	r := New(time.Minute)
	q := Request{Step: r.Only("buy")}
	r.Start(q.Step, 0)
	r.End(&q, &Ending{At: time.Second})
	r.Step("idle", true)
	r.Part("read", time.Second, 3*time.Millisecond, true)
	steps := r.Result(0).Steps
	require.Len(t, steps, 2)
	require.Equal(t, []int64{1, 1}, []int64{steps[0].Started, steps[0].Finished})
	require.Equal(t, []int64{1, 1, 1}, []int64{steps[1].Started, steps[1].Finished, steps[1].Errors})
	require.Zero(t, r.Result(0).MeanInFlight, "a run of no length")
}

func TestWhatIsCountedOutsideOfRequests(t *testing.T) {
	r := New(time.Minute)
	r.Goexit()
	r.Bug("first")
	r.Bug("second")
	require.Equal(t, []int64{1, 2}, []int64{r.Result(0).Goexits, r.Result(0).Panics})
	require.Equal(t, "first", r.Result(0).FirstPanic)
	q := Request{Started: time.Second}
	r.Abandon(&q, 500*time.Millisecond)
	require.Zero(t, r.Result(0).Busy, "a run that was over before")
}

func TestJoinedTags(t *testing.T) {
	require.Empty(t, (&Request{}).JoinedTags())
	q := Request{Tags: &Tags{[]Tag{{"a", "1"}, {`b;`, `=\`}}}}
	require.Equal(t, `a=1;b\;=\=\\`, q.JoinedTags())
	require.Empty(t, (*Failure)(nil).Name())
	require.Equal(t, "slow", (&Failure{Kind: "slow"}).Name())
}
