package threshold

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/load/internal/record"
	"github.com/go-qtests/qtests/qtests/load/result"
)

// A story is a run of 10 s, counted and judged in the order in which a run does it: ten requests, one a
// second, in turn of step a, which takes 10 ms, and of step b, which takes 30 ms and fails at 3 s and at 7 s.
// All start 1 ms late, and the one at 7 s 5 ms. One more is dropped at 8.5 s, and one of step a, due at 9.5 s,
// is interrupted at 11 s, the end of the run.
type story struct {
	rec *record.Recorder
	j   *Judge
	why error // of the threshold that ended the run
	at  time.Duration
}

// A last request of a story ends so, and not with an interruption at the end.
type ending struct {
	at     time.Duration
	failed bool
}

const (
	ms       = time.Millisecond
	storyFor = 10 * time.Second
	storyEnd = 11 * time.Second
)

// tell runs the story under thresholds, with what is to be said to the judge before.
func tell(t *testing.T, begin func(*Judge), thresholds ...string) *story {
	t.Helper()
	return tellUntil(t, nil, begin, thresholds...)
}

func tellUntil(t *testing.T, last *ending, begin func(*Judge), thresholds ...string) *story {
	t.Helper()
	s := &story{rec: record.New(storyFor)}
	for _, name := range []string{"a", "b"} {
		s.rec.Step(name, false)
	}
	var err error
	s.j, err = NewJudge(thresholds, nil, storyFor, s.rec)
	require.NoError(t, err)
	begin(s.j)
	for k := range 10 {
		s.request(k)
		if s.why = s.j.Look(s.at); s.why != nil {
			return s
		}
	}
	s.reach(9500 * ms)
	s.rec.Arrive(s.at)
	q := &record.Request{Step: s.rec.Steps["a"], Intended: s.at, Started: s.at, Attempts: 1}
	s.rec.Start(q.Step, s.at)
	s.reach(storyFor)
	s.j.Stop(s.at)
	if last != nil {
		s.reach(last.at)
		s.end(q, &record.Ending{At: s.at, Failed: last.failed})
		return s
	}
	s.reach(storyEnd)
	s.end(q, &record.Ending{At: s.at, Interrupted: true})
	return s
}

// reach closes the windows that end at or before at.
func (s *story) reach(at time.Duration) {
	if s.at = at; s.j.Due(at) {
		s.j.Turn(at)
	}
}

func (s *story) end(q *record.Request, e *record.Ending) {
	s.rec.End(q, e)
	if s.j.LooksAtTimes() && !e.Interrupted {
		s.j.Ended(q, e)
	}
}

func (s *story) request(k int) {
	due, late, step := time.Duration(k)*time.Second, ms, "ab"[k%2:k%2+1]
	if k == 7 {
		late = 5 * ms
	}
	s.reach(due)
	s.rec.Arrive(due)
	s.reach(due + late)
	q := &record.Request{Number: int64(k), Step: s.rec.Steps[step], Intended: due, Started: s.at, Attempts: 1}
	if k%5 == 0 {
		q.Tags = new(record.Tags)
		q.Tags.Set("region", "eu")
	}
	s.rec.Start(q.Step, s.at)
	s.rec.Lateness(late)
	s.j.Started(late)
	took := 10 * ms
	if step == "a" {
		s.j.PartEnded(s.rec.Part("db", s.at+2*ms, 2*ms, k == 4), 2*ms)
	} else {
		took = 30 * ms
	}
	if k == 3 {
		s.rec.AwaitRetry()
		s.rec.Retry(q.Step, s.at)
	}
	s.measure(k)
	s.reach(s.at + took)
	e := &record.Ending{At: s.at, Failed: k == 3 || k == 7}
	s.end(q, e)
	if k == 7 {
		s.rec.Fail(q, e, &record.Failure{Kind: "timeout", Timeout: true, Bug: "panic: oops"})
		s.rec.Deny(q.Step)
	}
	s.rec.Check("ok", k != 9)
	if k == 8 {
		s.reach(8500 * ms)
		s.rec.Arrive(s.at)
		s.rec.Drop(s.at)
	}
}

// measure takes a value of each metric of the scenario's own.
func (s *story) measure(k int) {
	for _, v := range []record.Value{
		{Name: "orders", Kind: record.Counter, X: 2},
		{Name: "depth", Kind: record.Gauge, X: float64(3 + k%4)},
		{Name: "hits", Kind: record.Rate, OK: k < 8},
		{Name: "size", Kind: record.Trend, X: float64(k)},
		{Name: "render", Kind: record.Trend, Time: true, X: 0.01 * float64(k+1)},
	} {
		if err := s.rec.Measure(v, s.at); err != nil {
			panic(err)
		}
	}
}

// verdicts are how all thresholds came out.
func (s *story) verdicts() (lines []string) {
	for _, v := range s.j.Verdicts(storyEnd) {
		lines = append(lines, v.String())
	}
	return lines
}

const leftOut = "; 1 of 11 requests were interrupted, and are not counted"

// storyVerdicts are how thresholds on the story come out, as one works it out by hand.
var storyVerdicts = []string{
	"p(99)<1s kept: 35ms" + leftOut,
	"p(99)<35ms broken: 35ms",
	"avg<1s kept: 21.4ms" + leftOut,
	"min<1s kept: 11ms" + leftOut,
	"max<1s kept: 35ms" + leftOut,
	"med<1s kept: 11ms" + leftOut,
	"service.p(50)<1s kept: 10ms" + leftOut,
	"service.p(51)<1s kept: 30ms" + leftOut,
	"late.max<1s kept: 5ms",
	"late.p(90)<1s kept: 1ms",
	"count==10 kept: 10" + leftOut,
	"rate>=1/s kept: 1/s" + leftOut,
	"goodput>0.5/s kept: 0.8/s" + leftOut,
	"errors<50% kept: 20%" + leftOut,
	"errors<3 kept: 2" + leftOut,
	"errors<0.2/s broken: 0.2/s",
	"step(b).errors<50% kept: 40%",
	"step(a).errors==0 kept: 0; 1 of 6 requests were interrupted, and are not counted",
	"step(a).interrupted<20% kept: 16.67%",
	"tag(region=eu).count==2 kept: 2",
	"tag(region=us).count==2 cannot be evaluated: unknown tag \"region=us\"; did you mean \"region=eu\"?",
	"step(c).count==2 cannot be evaluated: unknown step \"c\"; did you mean \"a\" or \"b\"?",
	"check(ok)>80% kept: 90%",
	"checks>90% broken: 90%",
	"check(no)>80% cannot be evaluated: unknown check \"no\"; known: ok",
	"dropped<10% kept: 8.333%",
	"dropped==0 broken: 1",
	"panics==0 broken: 1",
	"in_flight<=1 kept: 1",
	"interrupted<10% kept: 9.091%",
	"timeouts==0 broken: 1",
	"step(b).timeouts<50% kept: 20%",
	"step(a).timeouts==0 kept: 0; 1 of 6 requests were interrupted, and are not counted",
	"retries<10% kept: 9.091%",
	"step(b).retries<50% kept: 20%",
	"denied==0 broken: 1",
	"step(db).p(50)<1s kept: 2ms",
	"step(db).errors<50% kept: 20%",
	"step(db).timeouts<1% cannot be evaluated: timeouts is not counted of \"db\", which is a part of a request",
	// Windows.
	"count==2 every 2s kept: 2 in the worst of 5 windows" + leftOut,
	"rate>0.5/s every 2s kept: 1/s in the worst of 5 windows" + leftOut,
	"errors<10% every 2s broken: 2 of 5 windows, the first from 2s, the worst at 50%",
	"errors!=1 every 2s broken: 2 of 5 windows, the first from 2s, the worst at 1",
	"p(99)<35ms every 5s broken: 1 of 2 windows, the first from 5s, the worst at 35ms",
	"step(b).p(99)<31ms every 5s broken: 2 of 2 windows, the first from 0s, the worst at 35ms",
	"tag(region=eu).max<12ms every 5s broken: 1 of 2 windows, the first from 5s, the worst at 31ms",
	"service.min>5ms every 5s kept: 10ms in the worst of 2 windows" + leftOut,
	"late.max<2ms every 5s broken: 1 of 2 windows, the first from 5s, the worst at 5ms",
	"step(db).max<3ms every 5s kept: 2ms in the worst of 2 windows",
	"dropped==0 every 5s broken: 1 of 2 windows, the first from 5s, the worst at 1",
	"dropped==0 every 500ms broken: 1 of 20 windows, the first from 8.5s, the worst at 1",
	"interrupted==0 every 5s broken: 1 of 2 windows, the first from 5s, the worst at 1",
	"checks>80% every 5s broken: 1 of 2 windows, the first from 5s, the worst at 80%",
	"count>=1 every 10s kept: 10 in the only window" + leftOut,
	// Metrics of the scenario's own.
	"metric(orders)==20 kept: 20",
	"metric(orders).count==20 kept: 20",
	"metric(orders).rate>2/s broken: 2/s",
	"metric(orders).max<9 cannot be evaluated: metric(orders) is a counter; it has metric(orders), .rate",
	"metric(depth)<9 kept: 4",
	"metric(depth).min<9 kept: 3",
	"metric(depth).max<9 kept: 6",
	"metric(hits)>90% broken: 80%",
	"metric(hits).count==10 kept: 10",
	"metric(hits)>9 cannot be evaluated: metric(hits) of a rate is a share such as 1%, not a plain number",
	"metric(size).avg<9 kept: 4.5",
	"metric(size).p(90)<9 kept: 8",
	"metric(size).med<9 kept: 4",
	"metric(render).avg<1s kept: 55ms",
	"metric(render).min<1s kept: 10ms",
	"metric(render).max<1s kept: 100ms",
	"metric(render).count==10 kept: 10",
	"metric(nothing)<9 cannot be evaluated: unknown metric of your own \"nothing\"; known: depth, hits, orders, render, size",
	// Several conditions.
	"p(99)<1s && errors<50% kept: p(99) kept: 35ms, errors kept: 20%" + leftOut,
	"p(99)<1s && errors<2% broken: p(99) kept: 35ms, errors broken: 20%" + leftOut,
	"errors<2% && step(c).count==2 cannot be evaluated: step(c).count: unknown step \"c\"; did you mean \"a\" or \"b\"?",
}

// thresholdsOf are the thresholds of verdicts.
func thresholdsOf(verdicts []string) (texts []string) {
	for _, v := range verdicts {
		end := len(v)
		for _, word := range []string{" kept: ", " broken: ", " cannot be evaluated: "} {
			if i := strings.Index(v, word); i >= 0 {
				end = min(end, i)
			}
		}
		texts = append(texts, v[:end])
	}
	return texts
}

func TestVerdicts(t *testing.T) {
	s := tell(t, func(*Judge) {}, thresholdsOf(storyVerdicts)...)
	require.NoError(t, s.why)
	require.Equal(t, storyVerdicts, s.verdicts())
}

// TestVerdictsOfOneAtATime: a threshold comes out the same without the others.
func TestVerdictsOfOneAtATime(t *testing.T) {
	for i, text := range thresholdsOf(storyVerdicts) {
		s := tell(t, func(*Judge) {}, text)
		require.Equal(t, storyVerdicts[i:i+1], s.verdicts())
	}
}

// TestVerdictsOfParts: what a part has kept of its windows is judged as the run itself.
func TestVerdictsOfParts(t *testing.T) {
	s := tell(t, (*Judge).Defer, thresholdsOf(storyVerdicts)...)
	require.False(t, s.j.Aborts())
	texts, windows := s.j.Kept(storyEnd)
	require.Equal(t, thresholdsOf(storyVerdicts), texts)
	res := s.rec.Result(storyEnd)
	res.Duration, res.Elapsed, res.Scale = storyFor, storyEnd, 1
	res.Part = &result.Part{Thresholds: texts, Windows: windows, Until: s.j.Until()}
	s.rec.Fill(res.Part, res)
	verdicts, err := JudgeMerged(res)
	require.NoError(t, err)
	for i, v := range verdicts {
		if !strings.Contains(texts[i], "metric(") { // parts have no metrics of their own
			require.Equal(t, storyVerdicts[i], v.String())
		}
	}

	res.Part.Windows = windows[:len(windows)-1]
	_, err = JudgeMerged(res)
	require.ErrorContains(t, err, "the parts have kept no windows of it")
	res.Part.Windows = append([][]result.PartWindow{{{Window: 6}}}, windows[1:]...)
	_, err = JudgeMerged(res)
	require.EqualError(t, err, "load: JudgeMerged: threshold count==2 every 2s: window 6 is not within 11s")
	res.Part.Windows[0][0].Window = -1
	_, err = JudgeMerged(res)
	require.ErrorContains(t, err, "window -1 is not within 11s")
	res.Part.Index = 1
	_, err = JudgeMerged(res)
	require.ErrorContains(t, err, "is not merged")
}

func TestVerdictsOfAScaledRun(t *testing.T) {
	s := tell(t, func(j *Judge) { j.Scaled(0.5, false) }, "rate>2/s", "rate>0.5/s", "errors<1%", "metric(orders)>100")
	require.Equal(t, []string{
		"rate>2/s broken: 1/s; the load was scaled by 0.5",
		"rate>0.5/s kept: 1/s" + leftOut,
		"errors<1% broken: 20%",
		"metric(orders)>100 broken: 20; the load was scaled by 0.5",
	}, s.verdicts())
	require.Equal(t, "the run was scaled to 0.1 of its length", Scaled(0.1, true))
	require.Empty(t, Scaled(1, true))
}

// TestWhatEndsAfterTheArrivals is in the last window, which began before they ended.
func TestWhatEndsAfterTheArrivals(t *testing.T) {
	texts := []string{"p(99)<1s every 5s", "errors<25% every 5s", "errors<2 every 5s", "count>=5 every 5s", "goodput>0.7/s every 5s", "interrupted==0 every 5s"}
	s := tellUntil(t, &ending{10500 * ms, true}, func(*Judge) {}, texts...)
	require.Equal(t, []string{
		"p(99)<1s every 5s broken: 1 of 2 windows, the first from 5s, the worst at 1s",
		"errors<25% every 5s broken: 1 of 2 windows, the first from 5s, the worst at 33.33%",
		"errors<2 every 5s kept: 1 in the worst of 2 windows",
		"count>=5 every 5s kept: 5 in the worst of 2 windows",
		"goodput>0.7/s every 5s kept: 0.8/s in the worst of 2 windows",
		"interrupted==0 every 5s kept: 0 in the worst of 2 windows",
	}, s.verdicts())
}

// TestSpans: windows that touch are one span of the report.
func TestSpans(t *testing.T) {
	s := tell(t, func(*Judge) {}, "errors<10% every 2s", "errors<10% every 1s", "p(99)<20ms every 5s", "p(99)<1s every 5s")
	second := func(from, to time.Duration) result.Span {
		return result.Span{From: from * time.Second, To: to * time.Second}
	}
	var got [][]result.Span
	for _, v := range s.j.Verdicts(storyEnd) {
		got = append(got, v.Spans)
	}
	require.Equal(t, [][]result.Span{{second(2, 4), second(6, 8)}, {second(3, 4), second(7, 8)}, {second(0, 10)}, nil}, got)
}

// TestLevels are where a threshold lies in the charts of the whole run.
func TestLevels(t *testing.T) {
	for text, want := range map[string][]result.Level{
		"p(99)<35ms":            {{Of: "response", Value: 0.035}},
		"errors<2%":             {{Of: "errors", Value: 0.02}},
		"rate>3/s":              {{Of: "rate", Value: 3}},
		"goodput>0.5/s":         {{Of: "rate", Value: 0.5}},
		"errors<3":              nil,
		"service.p(50)<1s":      nil,
		"late.max<1s":           nil,
		"step(a).p(99)<1s":      nil,
		"check(ok)>80%":         nil,
		"metric(render).max<1s": nil,
		"p(9)<1s && rate>3/s":   {{Of: "response", Value: 1}, {Of: "rate", Value: 3}},
	} {
		require.Equal(t, want, tell(t, func(*Judge) {}, text).j.Verdicts(storyEnd)[0].Levels, text)
	}
}

// TestStepThatIsTheOnlyOne, and a run that nobody has counted anything of.
func TestStepThatIsTheOnlyOne(t *testing.T) {
	for _, name := range []string{"", "a"} {
		rec := record.New(storyFor)
		if name != "" {
			rec.Step(name, false)
		}
		j, err := NewJudge([]string{"dropped==0", "count<5"}, nil, storyFor, rec)
		require.NoError(t, err)
		for _, v := range j.Verdicts(storyEnd) {
			require.Contains(t, v.String(), " kept: 0")
		}
	}
}

// TestAborts: a threshold ends the run at the first look at which it is broken.
func TestAborts(t *testing.T) {
	for text, want := range map[string]string{
		"errors<2 abort":                     "load: threshold errors<2 abort broken: 2 at 7.035s",
		"errors<10% abort":                   "load: threshold errors<10% abort broken: 25% at 3.031s",
		"errors<10% abort after 4s":          "load: threshold errors<10% abort after 4s broken: 20% at 4.011s",
		"errors<26% abort":                   "",
		"p(99)<31ms abort":                   "load: threshold p(99)<31ms abort broken: 31ms at 1.031s",
		"errors<10% every 5s abort":          "load: threshold errors<10% every 5s abort broken in the window from 0s",
		"errors<10% every 5s abort after 6s": "load: threshold errors<10% every 5s abort after 6s broken in the window from 0s",
		"p(99)<32ms every 2s abort after 9s": "load: threshold p(99)<32ms every 2s abort after 9s broken in the window from 6s",
		"step(c).errors<1% abort":            "",
		"tag(region=eu).count<1 abort":       "load: threshold tag(region=eu).count<1 abort broken: 1 at 11ms",
		"p(99)<1s && errors<2 abort":         "load: threshold errors<2 abort of p(99)<1s && errors<2 abort broken: 2 at 7.035s",
		"metric(depth)<6 abort":              "load: threshold metric(depth)<6 abort broken: 6 at 3.031s",
		"step(b).errors<50% every 2s abort":  "load: threshold step(b).errors<50% every 2s abort broken in the window from 2s",
	} {
		s := tell(t, func(j *Judge) { require.True(t, j.Aborts()) }, text)
		if want == "" {
			require.NoError(t, s.why, text)
			continue
		}
		require.EqualError(t, s.why, want)
		require.False(t, s.j.HasWindows(), "there are no more windows")
		verdicts := s.j.Verdicts(s.at)
		require.False(t, verdicts[0].Pass)
		require.Contains(t, verdicts[0].String(), " broken: ", "what ended the run is broken at its end, too")
	}
}

func TestJudgeNamesEveryWrongThreshold(t *testing.T) {
	_, err := NewJudge([]string{"p(101)<1s", "p(99)<1s", "errors<1% every 11s"},
		[]Threshold{{Metric: "errors", Op: "<", Value: 1, Unit: Percent}, {Metric: "rate"}, {Metric: "p", Percentile: 99, Op: "<", Value: 1, Unit: Seconds, Every: time.Minute}},
		storyFor, record.New(storyFor))
	require.ErrorContains(t, err, `load: threshold "p(101)<1s": `)
	require.ErrorContains(t, err, `load: threshold "errors<1% every 11s": `)
	require.ErrorContains(t, err, "load: Scenario.Limits[1]: ")
	require.ErrorContains(t, err, "load: Scenario.Limits[2]: ")
	joined, ok := err.(interface{ Unwrap() []error })
	require.True(t, ok)
	require.Len(t, joined.Unwrap(), 4)
	require.False(t, errors.Is(err, errNoSamples))
}
