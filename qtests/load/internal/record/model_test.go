package record

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/load/result"
)

// A life is what a request went through, as the reference keeps it.
type life struct {
	q       Request
	e       Ending
	f       *Failure
	ended   bool
	givenUp bool
}

// A reference keeps every request, and counts when it is asked.
type reference struct {
	lives             []*life
	arrivals, dropped []time.Duration
	retries, denied   map[*Tally]int64
	waiting           int64
	retried           []time.Duration
}

// run plays a minute of random requests of two steps to both.
func (m *reference) run(rec *Recorder, r *rand.Rand) {
	steps := []*Tally{rec.Step("browse", false), rec.Step("buy", false)}
	m.retries, m.denied = map[*Tally]int64{}, map[*Tally]int64{}
	var open []*life
	for now := time.Duration(0); now < time.Minute; now += time.Duration(r.Int64N(int64(time.Second))) {
		switch step := steps[r.IntN(2)]; r.IntN(9) {
		case 0:
			rec.Arrive(now)
			m.arrivals = append(m.arrivals, now)
		case 1:
			rec.Drop(now)
			m.dropped = append(m.dropped, now)
		case 2, 3, 4:
			l := &life{q: Request{Step: step, Intended: max(0, now-time.Duration(r.Int64N(1e9))), Started: now, Attempts: 1 + r.Int32N(3)}}
			l.q.Tags = new(Tags)
			for _, zone := range []string{"a", "b"} {
				if r.IntN(2) == 0 {
					l.q.Tags.all = append(l.q.Tags.all, Tag{"zone", zone})
				}
			}
			rec.Start(step, now)
			m.lives, open = append(m.lives, l), append(open, l)
		case 5, 6:
			if len(open) > 0 {
				i := r.IntN(len(open))
				m.end(rec, open[i], now, r)
				open = slices.Delete(open, i, i+1)
			}
		case 7:
			m.retry(rec, step, now, r)
		case 8:
			rec.Deny(step)
			m.denied[step]++
		}
	}
	for _, l := range open {
		l.givenUp = true
		rec.Abandon(&l.q, time.Minute)
	}
}

func (m *reference) end(rec *Recorder, l *life, now time.Duration, r *rand.Rand) {
	l.ended, l.e = true, Ending{At: now, Failed: r.IntN(2) == 0, Interrupted: r.IntN(4) == 0}
	rec.End(&l.q, &l.e)
	if l.e.Failed || l.e.Interrupted {
		l.f = &Failure{Kind: fmt.Sprint("kind ", r.IntN(3)), Text: now.String(), Timeout: r.IntN(2) == 0, Goexit: r.IntN(4) == 0}
		if r.IntN(4) == 0 {
			l.f.Bug = now.String()
		}
		rec.Fail(&l.q, &l.e, l.f)
	}
}

func (m *reference) retry(rec *Recorder, step *Tally, now time.Duration, r *rand.Rand) {
	rec.AwaitRetry()
	switch r.IntN(3) {
	case 0:
		rec.GiveUpRetry()
	case 1:
		rec.Retry(step, now)
		m.retries[step]++
		m.retried = append(m.retried, now)
	case 2:
		m.waiting++
	}
}

// step is the result of the requests that are chosen.
func (m *reference) step(name string, chosen func(*life) bool) (s result.StepResult) {
	s.Name = name
	for _, l := range m.lives {
		if !chosen(l) {
			continue
		}
		s.Started++
		switch {
		case !l.ended:
		case l.e.Interrupted:
			s.Interrupted++
		default:
			s.Finished++
			if l.e.Failed {
				s.Errors++
			}
			s.LastEnd = max(s.LastEnd, l.e.At)
			s.Response.Record(l.e.At - l.q.Intended)
			s.Service.Record(l.e.At - l.q.Started)
		}
	}
	return s
}

// count counts the requests that are chosen.
func (m *reference) count(chosen func(*life) bool) (n int64) {
	for _, l := range m.lives {
		if chosen(l) {
			n++
		}
	}
	return n
}

// most is the largest number of requests that were under way at once.
func (m *reference) most() (most int64) {
	for _, l := range m.lives {
		at := l.q.Started
		most = max(most, m.count(func(x *life) bool { return x.q.Started <= at && (!x.ended || x.e.At > at) }))
	}
	return most
}

// TestRecorderCountsAsAList lets random requests begin, end, fail, be interrupted and be given up.
func TestRecorderCountsAsAList(t *testing.T) {
	for seed := range uint64(20) {
		rec, m := New(time.Minute), &reference{}
		m.run(rec, rand.New(rand.NewPCG(seed, 1)))
		res := rec.Result(time.Minute)
		t.Logf("seed %d: %d requests", seed, len(m.lives))
		all := m.step("", func(*life) bool { return true })
		require.Equal(t, []int64{int64(len(m.arrivals)), int64(len(m.dropped)), all.Started, all.Finished, all.Errors}, []int64{res.Scheduled, res.Dropped, res.Started, res.Finished, res.Errors})
		require.Equal(t, all.Response, res.Response)
		require.Equal(t, all.Service, res.Service)
		m.requireEndings(t, res, all.Interrupted)
		require.Equal(t, m.most(), res.MaxInFlight)
		require.Equal(t, rec.Retries+m.waiting, rec.AllRetries())
		var busy time.Duration
		for _, l := range m.lives {
			busy += map[bool]time.Duration{true: l.e.At, false: time.Minute}[l.ended] - l.q.Started
		}
		require.Equal(t, busy, res.Busy)
		require.InDelta(t, busy.Seconds()/60, res.MeanInFlight, 1e-9)
		m.requireTallies(t, rec, res)
		m.requireTimeline(t, res)
	}
}

func (m *reference) requireEndings(t *testing.T, res *result.Result, interrupted int64) {
	t.Helper()
	var retries, denied int64
	for step, n := range m.retries {
		retries += n
		require.Equal(t, n, step.Retries)
	}
	for step, n := range m.denied {
		denied += n
		require.Equal(t, n, step.Denied)
	}
	require.Equal(t, []int64{retries, denied}, []int64{res.Retries, res.RetriesDenied})
	givenUp := m.count(func(l *life) bool { return l.givenUp })
	require.Equal(t, []int64{interrupted + givenUp, givenUp}, []int64{res.Interrupted, res.Abandoned})
	failed := func(f func(*life) bool) int64 { return m.count(func(l *life) bool { return l.f != nil && f(l) }) }
	require.Equal(t, failed(func(l *life) bool { return l.f.Bug != "" }), res.Panics)
	require.Equal(t, failed(func(l *life) bool { return l.f.Goexit }), res.Goexits)
	require.Equal(t, failed(func(l *life) bool { return l.f.Timeout && !l.e.Interrupted }), res.Timeouts)
	var attempts int64
	bug := time.Hour // a text of a bug is the instant
	for _, l := range m.lives {
		if l.ended {
			attempts += int64(l.q.Attempts)
		}
		if l.f != nil && l.f.Bug != "" {
			bug = min(bug, l.e.At)
		}
	}
	require.Equal(t, attempts, res.Attempts)
	if bug < time.Hour {
		require.Equal(t, bug.String(), res.FirstPanic)
	}
	for _, k := range res.ErrorKinds {
		require.Equal(t, failed(func(l *life) bool { return l.f.Kind == k.Kind && !l.e.Interrupted }), k.Count)
		require.Equal(t, k.First.String(), k.Text)
	}
	require.True(t, slices.IsSortedFunc(res.ErrorKinds, func(a, b result.ErrorCount) int { return int(b.Count - a.Count) }))
}

// requireTallies looks at steps, tags and the curves of steps.
func (m *reference) requireTallies(t *testing.T, rec *Recorder, res *result.Result) {
	t.Helper()
	for _, got := range res.Steps {
		ofStep := func(l *life) bool { return l.q.Step.Name == got.Name }
		want := m.step(got.Name, ofStep)
		var curve result.StepPoint
		for i, p := range got.Curve {
			curve.Add(p)
			from, to := time.Duration(i)*got.Interval, time.Duration(i+1)*got.Interval
			require.Equal(t, m.count(func(l *life) bool {
				return ofStep(l) && l.ended && !l.e.Interrupted && from <= l.e.At && l.e.At < to
			}), p.Finished)
		}
		require.Equal(t, []int64{want.Finished, want.Errors}, []int64{curve.Finished, curve.Errors})
		got.Interval, got.Curve = 0, nil
		require.Equal(t, want, got)
		require.Equal(t, m.count(func(l *life) bool { return ofStep(l) && l.f != nil && l.f.Timeout && !l.e.Interrupted }), rec.Steps[got.Name].Timeouts)
	}
	for _, got := range res.Tags {
		tagged := func(l *life) bool {
			return l.ended && slices.ContainsFunc(l.q.Tags.All(), func(x Tag) bool { return x.Key+"="+x.Value == got.Name })
		}
		require.Equal(t, m.step(got.Name, tagged), got)
		require.Equal(t, m.count(func(l *life) bool { return tagged(l) && l.f != nil && l.f.Timeout && !l.e.Interrupted }), rec.Tag(Tag{"zone", got.Name[len("zone="):]}).Timeouts)
	}
}

// requireTimeline holds every point against the instants.
func (m *reference) requireTimeline(t *testing.T, res *result.Result) {
	t.Helper()
	for i, p := range res.Timeline {
		from, to := p.Offset, p.Offset+res.Interval
		require.Equal(t, time.Duration(i)*res.Interval, from)
		within := func(at time.Duration) bool { return from <= at && at < to }
		among := func(all []time.Duration) (n int64) {
			for _, at := range all {
				if within(at) {
					n++
				}
			}
			return n
		}
		ended := func(f func(Ending) bool) int64 {
			return m.count(func(l *life) bool { return l.ended && within(l.e.At) && f(l.e) })
		}
		require.Equal(t, []int64{among(m.arrivals), among(m.dropped), among(m.retried)}, []int64{p.Arrivals, p.Dropped, p.Retries})
		require.Equal(t, m.count(func(l *life) bool { return within(l.q.Started) }), p.Started)
		require.Equal(t, ended(func(e Ending) bool { return e.Interrupted }), p.Interrupted)
		require.Equal(t, ended(func(e Ending) bool { return !e.Interrupted }), p.Finished)
		require.Equal(t, ended(func(e Ending) bool { return !e.Interrupted && e.Failed }), p.Errors)
	}
}
