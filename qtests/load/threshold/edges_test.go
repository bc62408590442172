package threshold

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/load/internal/record"
	"github.com/go-qtests/qtests/qtests/load/result"
)

// An end is when a request ends, and whether it fails.
type end struct {
	at     time.Duration
	failed bool
}

// ended has requests of 10 ms end in a run that lasts d.
func ended(t *testing.T, d time.Duration, ends []end, thresholds ...string) *Judge {
	t.Helper()
	rec := record.New(d)
	j, err := NewJudge(thresholds, nil, d, rec)
	require.NoError(t, err)
	for _, e := range ends {
		if e.at > d {
			j.Stop(d)
		}
		if j.Due(e.at) {
			j.Turn(e.at)
		}
		q := record.Request{Step: &rec.All, Intended: e.at - 10*ms, Started: e.at - 10*ms}
		rec.Start(q.Step, q.Started)
		ending := record.Ending{At: e.at, Failed: e.failed}
		rec.End(&q, &ending)
		if j.LooksAtTimes() {
			j.Ended(&q, &ending)
		}
	}
	return j
}

// The span of windows that break in a silence reaches over all of it.
func TestSpanOfASilence(t *testing.T) {
	j := ended(t, 10*time.Second, []end{{500 * ms, false}, {9500 * ms, false}}, "rate>0/s every 1s")
	require.Equal(t, []result.Span{{From: time.Second, To: 9 * time.Second}}, j.Verdicts(10 * time.Second)[0].Spans)
}

// A window is looked at as soon as it is over, and what may end the run, from its instant on.
func TestLooksAtTheInstant(t *testing.T) {
	j := ended(t, 10*time.Second, []end{{500 * ms, false}}, "count<1 every 1s abort")
	require.NoError(t, j.Look(time.Second-1))
	require.ErrorContains(t, j.Look(time.Second), "broken in the window from 0s")
	j = ended(t, 10*time.Second, []end{{time.Second, true}}, "errors<1 abort after 2s")
	require.NoError(t, j.Look(2*time.Second-1))
	require.Error(t, j.Look(2*time.Second))
	j = ended(t, 10*time.Second, []end{{time.Second, true}}, "errors<1 abort after 0s")
	require.Error(t, j.Look(time.Second))
}

// The window that has begun when a run is aborted is judged.
func TestAbortWithinAWindow(t *testing.T) {
	j := ended(t, 10*time.Second, []end{{1500 * ms, true}}, "errors<1 abort", "p(99)<5ms every 1s")
	require.Error(t, j.Look(1500*ms))
	v := j.Verdicts(1500 * ms)[1]
	require.Equal(t, []int{1, 1}, []int{v.Windows, v.Broken}, "%+v", v)
	require.Equal(t, []result.Span{{From: time.Second, To: 2 * time.Second}}, v.Spans)
}

// Of counts the worse of the last window and what ends behind it counts, and what ends behind it alone is a sample.
func TestCountsBehindTheArrivals(t *testing.T) {
	late := end{2500 * ms, true}
	for _, c := range []struct {
		ends   []end
		actual string
	}{
		{[]end{{1100 * ms, true}, {1200 * ms, true}, {1300 * ms, true}, late}, "3"}, {[]end{{1100 * ms, true}, late, late}, "2"}, {[]end{late}, "1"},
	} {
		j := ended(t, 2*time.Second, c.ends, "errors<9 every 1s")
		v := j.Verdicts(2500 * ms)[0]
		require.Empty(t, v.Error)
		require.Equal(t, c.actual, v.Actual, "%v", c.ends)
	}
	j := ended(t, 2*time.Second, nil, "errors<9 every 1s")
	require.Equal(t, "no window had any samples", j.Verdicts(2500 * ms)[0].Error)
}

func TestOnlyTimesAreLookedAt(t *testing.T) {
	require.False(t, ended(t, time.Second, nil, "count<1 every 1s", "p(99)<1s").LooksAtTimes())
	require.True(t, ended(t, time.Second, nil, "p(99)<1s every 1s").LooksAtTimes())
}

// A part of a run keeps the windows in which something was counted.
func TestKeptWindows(t *testing.T) {
	j := ended(t, 10*time.Second, nil, "errors<9 every 1s", "p(99)<1s every 1s")
	for _, c := range j.criteria {
		c.keep(j, 3*time.Second)
		require.Empty(t, c.windows.kept)
	}
	j = ended(t, 10*time.Second, []end{{500 * ms, false}}, "errors<9 every 1s", "p(99)<1s every 1s")
	for _, c := range j.criteria {
		c.keep(j, time.Second)
		c.keep(j, 5*time.Second)
		require.Len(t, c.windows.kept, 1)
		require.Zero(t, c.windows.kept[0].Window)
	}
	require.EqualValues(t, 1, j.criteria[0].windows.kept[0].Of)
	require.EqualValues(t, 1, j.criteria[1].windows.kept[0].Times.Count())
}

func TestRateWithoutTime(t *testing.T) {
	c, o := &criterion{}, &record.Own{Kind: record.Counter, Samples: 1, Sum: 10}
	require.Zero(t, c.ofOwn(o, "rate", 0))
	require.Equal(t, 20.0, c.ofOwn(o, "rate", 500*ms))
}

func TestUnitsInWords(t *testing.T) {
	require.Equal(t, []string{"a plain number", "a rate such as 100/s", "Unit(4)", "Unit(-1)"}, []string{Count.String(), PerSecond.String(), Unit(4).String(), Unit(-1).String()})
}

// A window fits a profile that is shorter by what rounding takes.
func TestWindowFits(t *testing.T) {
	require.NoError(t, Threshold{Every: time.Second + time.Microsecond}.fits(time.Second))
	require.Error(t, Threshold{Every: time.Second + time.Microsecond + 1}.fits(time.Second))
}

// A time is the same again, to the nanosecond.
func TestSecondsAsDuration(t *testing.T) {
	for n := range time.Duration(2000) {
		require.Equal(t, n*ms, duration((n * ms).Seconds()))
	}
}

// A tag and a step that come up together are both found.
func TestFindsWhatComesUp(t *testing.T) {
	rec := record.New(time.Second)
	c := &criterion{Threshold: Threshold{Tag: "k=v"}}
	require.Nil(t, c.find(rec))
	rec.Step("a", false)
	want := rec.Tag(record.Tag{Key: "k", Value: "v"})
	require.Same(t, want, c.find(rec))
}

// At the end what was begun and has not ended was interrupted, but not under a tag, which is counted at an end.
func TestInterruptedAtTheEnd(t *testing.T) {
	rec := record.New(time.Second)
	rec.All.Started, rec.All.Finished = 5, 3
	tally := &record.Tally{Started: 5, Finished: 3, Interrupted: 1}
	require.EqualValues(t, 2, (&criterion{over: true}).interrupted(rec, &rec.All))
	require.EqualValues(t, 1, (&criterion{over: true, Threshold: Threshold{Tag: "k=v"}}).interrupted(rec, tally))
	require.EqualValues(t, 2, (&criterion{over: true, Threshold: Threshold{Step: "a"}}).interrupted(rec, tally))
	require.EqualValues(t, 1, (&criterion{Threshold: Threshold{Step: "a"}}).interrupted(rec, tally))
}
