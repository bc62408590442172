package threshold

import (
	"fmt"
	"time"

	"github.com/go-qtests/qtests/qtests/load/internal/record"
	"github.com/go-qtests/qtests/qtests/load/result"
)

// Defer makes the judge of a part of a run: it ends nothing and judges nothing, and keeps what was
// counted in each window for Kept. It is called before anything is counted.
func (j *Judge) Defer() {
	j.deferred, j.aborting = true, false
}

// Kept returns what was counted in the windows of each condition that has some, up to the end of the
// part, and the text of every threshold. It is for a judge that Defer was called on.
func (j *Judge) Kept(end time.Duration) (texts []string, windows [][]result.PartWindow) {
	texts = []string{}
	for _, g := range j.groups {
		texts = append(texts, g.text)
	}
	for _, c := range j.criteria {
		if c.Every > 0 {
			c.over = true
			c.keep(j, end)
			c.keep(j, c.windows.end) // the last one, which may be shorter
			windows = append(windows, c.windows.kept)
		}
	}
	return texts, windows
}

// Until is when arrivals ended.
func (j *Judge) Until() time.Duration { return j.until }

// keep is turn for a part: it keeps what was counted in the windows that end at or before now.
func (c *criterion) keep(j *Judge, now time.Duration) {
	w := &c.windows
	if now < w.end {
		return
	}
	counted := c.counts(j.rec)
	kept := result.PartWindow{Window: int(w.end/c.Every) - 1}
	if metrics[c.Metric].isTime() {
		if w.times.Count() > 0 {
			times := w.times
			kept.Times, w.times = &times, result.Histogram{}
		}
	} else {
		counts := counted.since(w.base)
		kept.N, kept.Of = counts.n, counts.of
	}
	if kept.N != 0 || kept.Of != 0 || kept.Times != nil {
		w.kept = append(w.kept, kept)
	}
	w.base = counted
	w.end += time.Duration(count(now-w.end, c.Every)) * c.Every
}

// JudgeMerged judges the thresholds of a run whose parts result.Merge has put together.
func JudgeMerged(res *result.Result) ([]result.Verdict, error) {
	p := res.Part
	if p == nil || p.Index != 0 {
		return nil, fmt.Errorf("load: JudgeMerged: the result of %q is not merged", res.Scenario)
	}
	rec := record.Restore(res)
	j, err := NewJudge(p.Thresholds, nil, res.Duration, rec)
	if err != nil {
		return nil, err
	}
	j.Stop(p.Until)
	next := 0
	for _, c := range j.criteria {
		if c.Every == 0 {
			continue
		}
		if next >= len(p.Windows) {
			return nil, fmt.Errorf("load: JudgeMerged: threshold %s: the parts have kept no windows of it", c.text)
		}
		if err := c.replay(j, p.Windows[next], res.Elapsed); err != nil {
			return nil, err
		}
		next++
	}
	j.Scaled(res.Scale, p.Shortened)
	return j.Verdicts(res.Elapsed), nil
}

// replay judges windows that the parts have kept.
func (c *criterion) replay(j *Judge, windows []result.PartWindow, end time.Duration) error {
	c.given = &ratio{}
	for _, w := range windows {
		if w.Window < 0 || time.Duration(w.Window) > end/c.Every {
			return fmt.Errorf("load: JudgeMerged: threshold %s: window %d is not within %v", c.text, w.Window, end)
		}
		c.turn(j, time.Duration(w.Window)*c.Every)
		c.given.n += w.N
		c.given.of += w.Of
		if w.Times != nil {
			c.windows.times.Merge(w.Times)
		}
	}
	return nil
}
