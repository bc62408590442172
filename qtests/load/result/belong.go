package result

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-qtests/qtests/qtests/internal/share"
	"github.com/go-qtests/qtests/qtests/internal/text"
)

// MostClockOff is how far apart the clocks and the starts of two parts of a run may be.
const MostClockOff = share.MostOff

// belong reports each reason why these are not the parts of one run. They are in the order of their
// indexes.
func belong(parts []*Result) error {
	if len(parts) == 0 {
		return errors.New("load: Merge: there are no parts")
	}
	for i, p := range parts {
		if p.Part == nil {
			return fmt.Errorf("load: Merge: result %d of %d, of the scenario %q, is not a part of a run", i+1, len(parts), p.Scenario)
		}
	}
	first := parts[0]
	var errs []error
	for _, p := range parts[1:] {
		errs = append(errs, p.differsFrom(first))
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	if err := complete(parts); err != nil {
		return err
	}
	if first.Part.Whole {
		return equal(parts)
	}
	return punctual(parts)
}

// part names a part.
func (r *Result) part() string { return fmt.Sprintf("part %d of %d", r.Part.Index, r.Part.Of) }

// differsFrom reports what a part does not have in common with another.
func (r *Result) differsFrom(other *Result) error {
	a, b := r.Part, other.Part
	for _, c := range []struct {
		what          string
		mine, theirs  any
		mineV, theirV any // what to show, if it is something else
	}{
		{"scenario", r.Scenario, other.Scenario, nil, nil},
		{"test", r.Test, other.Test, nil, nil},
		{"seed", r.Seed, other.Seed, nil, nil},
		{"number of parts", a.Of, b.Of, nil, nil},
		{"version of qtests", a.Qtests, b.Qtests, nil, nil},
		{"version of results", r.Version, other.Version, nil, nil},
		{"bounds of the histograms", a.Bounds, b.Bounds, nil, nil},
		{"profile", r.Profile, other.Profile, nil, nil},
		{"scale", r.Scale, other.Scale, nil, nil},
		{"thresholds", strings.Join(a.Thresholds, "\n"), strings.Join(b.Thresholds, "\n"), a.Thresholds, b.Thresholds},
		{"plan (steps, weights or limits)", a.Plan, b.Plan, nil, nil},
		{"kind of clock", a.Whole, b.Whole, clockKind(a.Whole), clockKind(b.Whole)},
		{"common start", a.Begin.UnixNano(), b.Begin.UnixNano(), a.Begin.Format(time.RFC3339Nano), b.Begin.Format(time.RFC3339Nano)},
	} {
		if c.mine != c.theirs {
			if c.mineV == nil {
				c.mineV, c.theirV = c.mine, c.theirs
			}
			return fmt.Errorf("load: Merge: %s does not belong to %s: another %s: %v, and not %v", r.part(), other.part(), c.what, c.mineV, c.theirV)
		}
	}
	return nil
}

func clockKind(whole bool) string {
	if whole {
		return "a fake clock"
	}
	return "real time"
}

// complete wants every part once.
func complete(parts []*Result) error {
	var indexes []int
	for _, p := range parts {
		indexes = append(indexes, p.Part.Index)
	}
	if err := share.Complete(indexes, parts[0].Part.Of); err != nil {
		return fmt.Errorf("load: Merge: scenario %q: %w", parts[0].Scenario, err)
	}
	return nil
}

// punctual wants parts that began together, by clocks that agree.
func punctual(parts []*Result) error {
	offs := make([]time.Duration, len(parts))
	for i, p := range parts {
		offs[i] = p.Part.ClockOff
	}
	var errs []error
	if err := share.Clocks(offs, func(i int) string { return parts[i].part() }); err != nil {
		errs = append(errs, fmt.Errorf("load: Merge: %w", err))
	}
	for _, p := range parts {
		if late := p.Start.Sub(p.Part.Begin); late >= MostClockOff || late <= -MostClockOff {
			errs = append(errs, fmt.Errorf("load: Merge: %s began at %s, %v from the common start %s",
				p.part(), p.Start.Format(time.RFC3339Nano), text.Short(max(late, -late)), p.Part.Begin.Format(time.RFC3339Nano)))
		}
	}
	return errors.Join(errs...)
}

// equal wants parts that all ran the whole to have come to the same, to the byte.
func equal(parts []*Result) error {
	first, err := bare(parts[0])
	for _, p := range parts[1:] {
		text, wrong := bare(p)
		if err = cmp.Or(err, wrong); err == nil && !bytes.Equal(first, text) {
			return fmt.Errorf("load: Merge: %s and %s ran the same under a fake clock, and came to different results: the scenario is not repeatable", parts[0].part(), p.part())
		}
	}
	return err
}

// bare is the JSON of a result without the part.
func bare(r *Result) ([]byte, error) {
	c := *r
	c.Part = nil
	return json.Marshal(c)
}
