package rollout

import (
	"fmt"
	"math"
	"time"

	"github.com/go-qtests/qtests/qtests/internal/field"
)

// Defaults of an [Analysis].
const (
	DefaultInterval    = time.Minute
	DefaultMinRequests = 20
	DefaultFailures    = 1
)

// Canary sends growing shares of the requests to the new version, and goes back if it is bad.
type Canary struct {
	Steps    []Step        // at least one, the shares rising
	MinReady time.Duration // default 0
	Deadline time.Duration // until the instances of a step are available; default 10 min
	Analysis Analysis
}

// A Step of a canary: Share of the requests, above 0 and below 1, for Pause.
type Step struct {
	Share float64
	Pause time.Duration
}

// An Analysis is what the new version must keep. The zero Analysis finds nothing bad.
type Analysis struct {
	Interval    time.Duration // default 1 min
	MinRequests uint64        // fewer in an interval are not judged; default 20
	Failures    int           // bad intervals in a row that are too many; default 1
	// MaxFailed is the share of failed requests of an interval that is bad when exceeded. Zero: no limit; see NoFailed.
	MaxFailed float64
	NoFailed  bool // any failed request is bad
	// MaxP99 is the latency that is bad when exceeded by more than 1% of the requests since the rollout began. Zero: no limit.
	MaxP99 time.Duration
	// Judge, if there is one, is asked for every interval as well. It gets both groups, their requests counted from the beginning of the
	// interval, and returns why the new one is bad, or "".
	Judge func(old, new Group) string
}

// Begin implements [Strategy].
func (k Canary) Begin(now time.Time) (Rollout, error) {
	c := field.Check("rollout: Canary")
	c.That(len(k.Steps) > 0, "Steps", "[]", "is empty")
	for i, s := range k.Steps {
		at := fmt.Sprintf("Steps[%d]", i)
		c.That(s.Share > 0 && s.Share < 1, at+".Share", s.Share, "is not between 0 and 1")
		c.That(i == 0 || s.Share > k.Steps[i-1].Share, at+".Share", s.Share, "is not above the share before")
		c.Duration(at+".Pause", s.Pause)
	}
	c.Duration("MinReady", k.MinReady)
	c.Duration("Deadline", k.Deadline)
	c.Duration("Analysis.Interval", k.Analysis.Interval)
	c.Count("Analysis.Failures", k.Analysis.Failures)
	c.Share("Analysis.MaxFailed", k.Analysis.MaxFailed)
	c.That(k.Analysis.MaxFailed == 0 || !k.Analysis.NoFailed, "Analysis.MaxFailed", k.Analysis.MaxFailed, "contradicts NoFailed")
	c.Duration("Analysis.MaxP99", k.Analysis.MaxP99)
	k.Deadline = or(k.Deadline, DefaultDeadline)
	c.That(k.MinReady < k.Deadline, "MinReady", k.MinReady, "is not below Deadline, %v", k.Deadline)
	k.Analysis.Interval = or(k.Analysis.Interval, DefaultInterval)
	k.Analysis.MinRequests = or(k.Analysis.MinRequests, DefaultMinRequests)
	k.Analysis.Failures = or(k.Analysis.Failures, DefaultFailures)
	return &canary{cfg: k, progress: progress{deadline: k.Deadline, last: now}, judged: now}, c.Result()
}

type canary struct {
	cfg Canary
	progress
	step    int
	since   time.Time // the instances of the step are available; zero: not yet
	judged  time.Time
	old     Group // at judged
	new     Group
	bad     int
	leaving string // why it goes back; "": it does not
}

func (k *canary) MinReady() time.Duration { return k.cfg.MinReady }

// Next implements [Rollout].
func (k *canary) Next(s State) Action {
	if k.leaving == "" {
		k.leaving = k.judge(s)
	}
	if k.leaving != "" {
		return k.goBack(s)
	}
	if k.step == len(k.cfg.Steps) {
		return k.finish(s)
	}
	step := k.cfg.Steps[k.step]
	need := max(1, int(math.Ceil(step.Share*float64(s.Wanted))))
	a := Action{Old: s.Wanted, New: need, Share: k.share(k.step - 1), Reason: fmt.Sprintf("step %d: %d of %d available", k.step+1, s.New.Available, need)}
	if k.since.IsZero() {
		switch {
		case s.New.Available >= need:
			k.since = s.Now
		case k.late(s):
			k.leaving = fmt.Sprintf("%s, and nothing became better for %v", a.Reason, k.deadline)
			return k.goBack(s)
		default:
			return a
		}
	}
	a.Share = step.Share
	a.Reason = fmt.Sprintf("step %d: %g%% of the requests", k.step+1, step.Share*100)
	if s.Now.Sub(k.since) >= step.Pause {
		k.step, k.since, k.begun = k.step+1, time.Time{}, false
		return k.Next(s)
	}
	return a
}

func (k *canary) share(step int) float64 {
	if step < 0 {
		return 0
	}
	return k.cfg.Steps[step].Share
}

// finish lets the new version take all.
func (k *canary) finish(s State) Action {
	a := Action{Old: s.Old.Instances, New: s.Wanted, Share: k.share(k.step - 1), Reason: available(s)}
	if s.New.Available < s.Wanted {
		if k.late(s) {
			k.leaving = fmt.Sprintf("%s, and nothing became better for %v", a.Reason, k.deadline)
			return k.goBack(s)
		}
		return a
	}
	a.Old, a.Share = 0, 1
	if s.Old.Instances == 0 && s.New.Instances == s.Wanted {
		a.Phase = Complete
	}
	return a
}

// goBack waits until the old group is whole, and lets the new one go.
func (k *canary) goBack(s State) Action {
	a := Action{Old: s.Wanted, New: 0, Share: 0, Phase: RolledBack, Reason: k.leaving}
	if s.Old.Available == 0 && s.New.Available > 0 && s.Wanted > 0 { // nobody else could serve
		a.New, a.Share, a.Phase = s.New.Instances, alike, Progressing
	}
	return a
}

// judge says why the new version is bad, or "".
func (k *canary) judge(s State) string {
	x := k.cfg.Analysis
	if s.Now.Sub(k.judged) < x.Interval {
		return ""
	}
	part := func(now, then Group) Group {
		now.Requests, now.Failed = now.Requests-then.Requests, now.Failed-then.Failed
		return now
	}
	old, fresh := part(s.Old, k.old), part(s.New, k.new)
	if fresh.Requests < x.MinRequests {
		return "" // the interval goes on
	}
	k.judged, k.old, k.new = s.Now, s.Old, s.New
	why := x.bad(old, fresh)
	if why == "" {
		k.bad = 0
		return ""
	}
	k.bad++
	if k.bad < x.Failures {
		return ""
	}
	return why
}

func (x Analysis) bad(old, fresh Group) string {
	failed := float64(fresh.Failed) / float64(fresh.Requests)
	switch {
	case x.MaxFailed > 0 && failed > x.MaxFailed:
		return fmt.Sprintf("%.2g%% of %d requests failed, more than %g%%", failed*100, fresh.Requests, x.MaxFailed*100)
	case x.NoFailed && fresh.Failed > 0:
		return fmt.Sprintf("%d of %d requests failed", fresh.Failed, fresh.Requests)
	case x.MaxP99 > 0 && fresh.P99 > x.MaxP99:
		return fmt.Sprintf("p99 is %v, more than %v", fresh.P99, x.MaxP99)
	case x.Judge != nil:
		return x.Judge(old, fresh)
	}
	return ""
}
