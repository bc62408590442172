package result

import (
	"cmp"
	"fmt"
	"time"
)

// check reports the first thing in a result that no run can leave. A file may have been edited, or cut.
func (r *Result) check() error {
	return cmp.Or(
		amounts("", map[string]int64{
			"scheduled": r.Scheduled, "started": r.Started, "finished": r.Finished, "errors": r.Errors, "dropped": r.Dropped,
			"interrupted": r.Interrupted, "abandoned": r.Abandoned, "max_in_flight": r.MaxInFlight, "attempts": r.Attempts, "retries": r.Retries,
			"retries_denied": r.RetriesDenied, "timeouts": r.Timeouts, "panics": r.Panics, "goexits": r.Goexits,
			"duration_ns": int64(r.Duration), "elapsed_ns": int64(r.Elapsed), "halted_at_ns": int64(r.HaltedAt), "busy_ns": int64(r.Busy),
			"interval_ns": int64(r.Interval), "marks_dropped": int64(r.MarksDropped),
		}),
		atMost("errors", r.Errors, "finished", r.Finished),
		atMost("abandoned", r.Abandoned, "interrupted", r.Interrupted),
		r.checkSteps(), r.checkNamed(), r.checkTimeline(), r.checkSections(), r.checkPictures(),
	)
}

// amounts reports the first of the named values, in their order, that is negative.
func amounts(of string, values map[string]int64) error {
	name := ""
	for k, n := range values {
		if n < 0 && (name == "" || k < name) {
			name = k
		}
	}
	if name == "" {
		return nil
	}
	return fmt.Errorf("%s%s: %d is negative", of, name, values[name])
}

func atMost(name string, n int64, of string, most int64) error {
	if n > most {
		return fmt.Errorf("%s: %d is more than %s, which is %d", name, n, of, most)
	}
	return nil
}

func (r *Result) checkSteps() error {
	for _, all := range [][]StepResult{r.Steps, r.Tags} {
		for _, s := range all {
			of := fmt.Sprintf("step or tag %q: ", s.Name)
			err := cmp.Or(amounts(of, map[string]int64{
				"started": s.Started, "finished": s.Finished, "errors": s.Errors, "interrupted": s.Interrupted, "last_end_ns": int64(s.LastEnd),
			}), atMost(of+"errors", s.Errors, "finished", s.Finished))
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// checkNamed checks checks, kinds of errors, thresholds and metrics.
func (r *Result) checkNamed() error {
	for _, c := range r.Checks {
		of := fmt.Sprintf("check %q: ", c.Name)
		if err := cmp.Or(amounts(of, map[string]int64{"passed": c.Passed}), atMost(of+"passed", c.Passed, "total", c.Total)); err != nil {
			return err
		}
	}
	for _, e := range r.ErrorKinds {
		if err := amounts(fmt.Sprintf("error %q: ", e.Kind), map[string]int64{"count": e.Count, "first_ns": int64(e.First)}); err != nil {
			return err
		}
	}
	for _, v := range r.Thresholds {
		of := fmt.Sprintf("threshold %q: ", v.Threshold)
		if err := cmp.Or(amounts(of, map[string]int64{"broken": int64(v.Broken)}), atMost(of+"broken", int64(v.Broken), "windows", int64(v.Windows))); err != nil {
			return err
		}
	}
	for _, m := range r.Metrics {
		of := fmt.Sprintf("metric %q: ", m.Name)
		if err := cmp.Or(amounts(of, map[string]int64{"passed": m.Passed}), atMost(of+"passed", m.Passed, "samples", m.Samples)); err != nil {
			return err
		}
	}
	return nil
}

func (r *Result) checkSections() error {
	for _, s := range r.Sections {
		if _, err := s.Bounded(); err != nil {
			return err
		}
	}
	return nil
}

// checkPictures checks what the report draws besides the timeline.
func (r *Result) checkPictures() error {
	h := r.Heat
	if len(h.Counts) > 0 && (h.Width <= 0 || len(h.Tops) == 0) {
		return fmt.Errorf("heat: %d columns of width %v with %d rows", len(h.Counts), h.Width, len(h.Tops))
	}
	for i, column := range h.Counts {
		if len(column) != len(h.Tops) {
			return fmt.Errorf("heat: column %d has %d rows of %d", i, len(column), len(h.Tops))
		}
	}
	if r.Baseline != nil {
		if err := r.Baseline.check(); err != nil {
			return fmt.Errorf("baseline: %w", err)
		}
	}
	for _, s := range r.Steps {
		if len(s.Curve) > 0 && s.Interval <= 0 {
			return fmt.Errorf("step or tag %q: interval_ns: %v is not above 0", s.Name, s.Interval)
		}
	}
	return nil
}

func (r *Result) checkTimeline() error {
	before := time.Duration(-1)
	for i, p := range r.Timeline {
		of := fmt.Sprintf("timeline[%d]: ", i)
		err := amounts(of, map[string]int64{
			"arrivals": p.Arrivals, "started": p.Started, "finished": p.Finished, "errors": p.Errors, "dropped": p.Dropped, "interrupted": p.Interrupted,
			"retries": p.Retries, "in_flight": p.InFlight, "p50_ns": int64(p.P50), "p95_ns": int64(p.P95), "p99_ns": int64(p.P99),
			"max_ns": int64(p.Max), "sum_ns": int64(p.Sum), "within": min(p.Within[0], p.Within[1], p.Within[2]),
		})
		if err == nil && p.Offset <= before {
			err = fmt.Errorf("%soffset_ns: %v is not after the one before it", of, p.Offset)
		}
		if err != nil {
			return err
		}
		before = p.Offset
	}
	return nil
}
