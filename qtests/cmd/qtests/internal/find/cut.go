package find

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/go-qtests/qtests/qtests/internal/explore"
)

// mostCut is how long choices are cut down, in real time, but in a test.
const mostCut = time.Minute

// Cut returns a run of the failure with as few choices, faults and load as can be found, or false
// where its choices are not known or it does not fail again under them.
func (s *Search) Cut(ctx context.Context, f *Found) (explore.Trial, bool) {
	if !f.known && !s.learn(ctx, f) {
		return explore.Trial{}, false
	}
	end := time.Now().Add(s.cut)
	t := f.trial()
	if s.trial(ctx, f, []explore.Trial{t}) != 0 {
		return t, false
	}
	first := func(all []explore.Trial) int {
		if ctx.Err() != nil || time.Now().After(end) {
			return -2
		}
		return s.trial(ctx, f, all)
	}
	t = explore.Shrink(t, first)
	if whole, ok := s.chosen(ctx, f, t); ok && first([]explore.Trial{whole}) == 0 {
		t = explore.Shrink(whole, first)
	}
	return t, true
}

// trial is the run as it was found. Where there were more choices than are kept, they are made
// anew, in the same way.
func (f *Found) trial() explore.Trial {
	t := explore.Trial{Choices: f.Choices, Inputs: f.Inputs}
	if !f.Whole {
		t.Choices, t.As = nil, f.Explore
		t.As.Asked = true
	}
	return t
}

// chosen is a trial whose choices were made anew with these choices, where they can be kept now
// that there is less of it.
func (s *Search) chosen(ctx context.Context, f *Found, t explore.Trial) (explore.Trial, bool) {
	if !t.As.Asked {
		return t, false
	}
	w := s.workerFor(f, explore.Session{From: f.Seed, To: f.Seed + 1, Stride: 1, Trials: []explore.Trial{t}, Want: f.Is()})
	var last explore.Result
	if _, err := w.process(ctx, func(r explore.Result) { last = r }); err != nil || !last.Whole || last.Failure.Is() != f.Is() {
		return t, false
	}
	return explore.Trial{Choices: last.Choices, Inputs: t.Inputs}, true
}

// learn finds the choices of a run that ended its process: it runs it again, and reads what
// the runtime has written when it died.
func (s *Search) learn(ctx context.Context, f *Found) bool {
	w := s.workerFor(f, explore.Session{From: f.Seed, To: f.Seed + 1, Stride: 1, Explore: f.Explore})
	if !s.dies(ctx, w, f) {
		return false
	}
	r, _, ok := s.resolve(ctx, f, w.session.Dump)
	f.Choices, f.Whole, f.known = r.Choices, r.Whole, ok
	return ok
}

// dies runs the session, and reports whether it ends its process as f does.
func (s *Search) dies(ctx context.Context, w *worker, f *Found) bool {
	same := false
	_, err := w.process(ctx, func(r explore.Result) {
		same = same || r.Test == f.Test && r.Failure.Is() == f.Is()
	})
	return err == nil && same
}

// trial returns the index of the first trial under which the test fails as f does, or -1.
func (s *Search) trial(ctx context.Context, f *Found, all []explore.Trial) int {
	for skip := 0; skip < len(all) && ctx.Err() == nil; {
		w := s.workerFor(f, explore.Session{From: f.Seed, To: f.Seed + 1, Stride: 1, Trials: all[skip:], Want: f.Is()})
		found, died := -1, -1
		_, err := w.process(ctx, func(r explore.Result) {
			if r.Test != f.Test {
				return
			}
			if !r.Over {
				died = r.Trial
			}
			if r.Failure.Is() == f.Is() && found < 0 {
				found = r.Trial
			}
		})
		switch {
		case found >= 0:
			return skip + found
		case err != nil || died < 0:
			return -1
		}
		skip += died + 1 // it died otherwise
	}
	return -1
}

// Steps returns the steps of the run of a trial.
func (s *Search) Steps(ctx context.Context, f *Found, t explore.Trial) (explore.Steps, error) {
	story := s.temp("steps")
	w := s.workerFor(f, explore.Session{
		From: f.Seed, To: f.Seed + 1, Stride: 1, Trials: []explore.Trial{t}, Log: mostSteps, Story: story,
	})
	if !s.dies(ctx, w, f) {
		return explore.Steps{}, fmt.Errorf("%s does not fail again", f.Test)
	}
	if _, err := os.Stat(story); err != nil { // it died
		_, steps, ok := s.resolve(ctx, f, w.session.Dump)
		if !ok {
			return steps, fmt.Errorf("%s ended its process, and left no steps", f.Test)
		}
		return steps, nil
	}
	return readSteps(story)
}

// mostSteps are kept of a run, at 264 bytes each.
const mostSteps = 1 << 15

// resolve has a process of the same binary read what another one has left.
func (s *Search) resolve(ctx context.Context, f *Found, dump string) (explore.Result, explore.Steps, bool) {
	if info, err := os.Stat(dump); err != nil || info.Size() == 0 {
		return explore.Result{}, explore.Steps{}, false
	}
	w := s.workerFor(f, explore.Session{Resolve: dump, Story: s.temp("steps")})
	var result explore.Result
	if _, err := w.process(ctx, func(r explore.Result) { result = r }); err != nil || !result.Over {
		return result, explore.Steps{}, false
	}
	steps, err := readSteps(w.session.Story)
	return result, steps, err == nil
}

func readSteps(name string) (explore.Steps, error) {
	var steps explore.Steps
	data, err := os.ReadFile(name)
	if err == nil {
		err = json.Unmarshal(data, &steps)
	}
	return steps, err
}
