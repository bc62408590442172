package load

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/go-qtests/qtests/qtests/internal/settings"
	"github.com/go-qtests/qtests/qtests/internal/share"
	"github.com/go-qtests/qtests/qtests/load/result"
	"github.com/go-qtests/qtests/qtests/load/traffic"
)

// A part is what a run knows of itself as one of several parts. The zero value belongs to a run
// that is the whole and leaves nothing.
type part struct {
	// Share is the share of the load: the whole under a fake clock, where every part runs all of it.
	share.Share
	process share.Share // of the process
	leaves  bool        // the result goes to the directory of the parts
	room    share.Room
	begin   time.Time // the common start
	off     time.Duration
}

// partOf returns the part that this process is of a run. A run in real time is divided. Under a
// fake clock the system under test is in the process, and would have less to do with a part of
// the load.
func partOf(real bool) part {
	p := part{process: share.Current()}
	if real {
		p.Share = p.process
	}
	return p
}

// leave makes the run leave its result, where it is one of several parts. Without a sweep: of that,
// each seed has its run in one of the parts only.
func (p *part) leave() {
	alone := p.process.Whole() || p.Whole() && (share.Results() == "" || settings.Seeds.Get() > 1)
	p.leaves = !alone
}

// meet finds the common start, with the other parts of a run that leaves a result.
func (p *part) meet(ctx context.Context, test, scenario string, now func() time.Time) (err error) {
	if !p.leaves {
		return nil
	}
	if share.Results() == "" {
		return fmt.Errorf("load: part %s of %q: %s names no directory for the results of the parts", p.process, scenario, share.ResultsVar)
	}
	if p.room, err = p.process.Open(share.Results(), test, scenario); err != nil || p.Whole() {
		return err
	}
	terms, err := share.TermsFromEnv(os.Getenv)
	if err != nil {
		return fmt.Errorf("load: %w", err)
	}
	m, err := p.room.Meet(ctx, terms, now)
	if err != nil {
		return fmt.Errorf("load: scenario %q: %w", scenario, err)
	}
	p.begin, p.off = m.Start, m.Off
	return nil
}

// takesAll reports whether all users and requests are this run's own.
func (p *part) takesAll() bool { return p.Whole() }

// ofBudget is the part's own of the requests that users share. Parts without a user make none.
func (p *part) ofBudget(budget int64, profile traffic.Profile) int64 {
	if p.takesAll() {
		return budget
	}
	users := 1
	for changes := profile.Changes(); ; {
		c, ok := changes.Next()
		if !ok {
			break
		}
		users = max(users, c.User)
	}
	with := min(p.Of, users)
	if p.Index > with {
		return 0
	}
	return share.Share{Index: p.Index, Of: with}.Count(budget)
}

// source is the part's own arrivals.
func (p *part) source(src traffic.Source) traffic.Source {
	if p.takesAll() {
		return src
	}
	return traffic.Strided(src, int64(p.Index), int64(p.Of))
}

// limits divides what bounds the load generator as a whole.
func (p *part) limits(s *Scenario) error {
	if p.takesAll() {
		return nil
	}
	for _, l := range []struct {
		name  string
		limit *int
		used  bool
	}{{"MaxInFlight", &s.MaxInFlight, s.Traffic.Kind() != traffic.Closed}, {"MaxQueue", &s.MaxQueue, s.Overflow == Queue}} {
		if l.used && *l.limit < p.Of {
			return fmt.Errorf("load: Scenario.%s: %d cannot be divided among %d parts", l.name, *l.limit, p.Of)
		}
		*l.limit = max(int(p.Count(int64(*l.limit))), 1)
	}
	return nil
}

// describe says which part the result of a run is of. Until is how long thresholds are watched.
func (p *part) describe(s *Scenario, until time.Duration, real bool) *result.Part {
	out := &result.Part{
		Index: p.process.Index, Of: p.process.Of, Whole: p.takesAll(), Run: p.room.Name(), Plan: planOf(s), Qtests: share.ModuleVersion(),
		Bounds: result.Bounds, Begin: p.begin.UTC(), ClockOff: p.off, Until: until, Shortened: real, Thresholds: []string{},
	}
	if p.takesAll() {
		out.Begin = time.Time{}
	}
	return out
}

// planOf is a digest of what the parts of a run have to have in common beside the profile.
func planOf(s *Scenario) string {
	type step struct {
		Name   string
		Weight int
	}
	var steps []step
	for _, x := range s.Steps {
		steps = append(steps, step{x.Name, x.Weight})
	}
	budget, each := s.Traffic.Limits()
	text, err := json.Marshal([]any{
		steps, budget, each, s.Timeout, s.Retry.Max, s.Retry.Budget, s.Retry.MaxBackoff, s.Pacing, s.MaxInFlight > 0, s.Overflow, s.ServeQueue,
		s.Grace, s.LeaveGrace, len(s.Events), fmt.Sprint(s.ThinkTime), len(s.Feeds), s.Limits, s.Thresholds,
	})
	if err != nil {
		return err.Error() // the same in all parts, and never the case
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8])
}

// deliver writes the result of a part, whole or not at all. The JSON comes last: it says that the
// part is complete.
func (p *part) deliver(res *result.Result) error {
	if !p.leaves {
		return nil
	}
	var log, text bytes.Buffer
	if err := res.WriteHLog(&log); err != nil {
		return err
	}
	sum := sha256.Sum256(log.Bytes())
	res.Part.HLog = hex.EncodeToString(sum[:])
	if err := res.WriteJSON(&text); err != nil {
		return err
	}
	if err := share.Write(p.room.File("load", ".hlog"), log.Bytes()); err != nil {
		return fmt.Errorf("load: part %s of %q: %w", p.process, res.Scenario, err)
	}
	if err := share.Write(p.room.File("load", ".json"), text.Bytes()); err != nil {
		return fmt.Errorf("load: part %s of %q: %w", p.process, res.Scenario, err)
	}
	return nil
}
