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
