package share

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// SweepVersion is the version of the JSON form of a Sweep.
const SweepVersion = 1

// A Sweep is what a part of a test under many seeds came to: of the seeds First to First+Seeds-1 those
// whose index, from 1, belongs to the part.
type Sweep struct {
	Version int      `json:"version"`
	Qtests  string   `json:"qtests"` // version of this module
	Test    string   `json:"test"`
	Index   int      `json:"index"`
	Of      int      `json:"of"`
	First   uint64   `json:"first"`
	Seeds   int      `json:"seeds"` // of all parts
	Ran     int      `json:"ran"`   // of this part
	Skipped int      `json:"skipped"`
	Failed  []uint64 `json:"failed"`
	// Stopped is the seed that ended the sweep before its time, which left something behind that could
	// not go on, or nil.
	Stopped *uint64 `json:"stopped,omitempty"`
	// Settings are those that decide what a seed does, and Repeat the command that repeats the first
	// failure.
	Settings string `json:"settings,omitempty"`
	Repeat   string `json:"repeat,omitempty"`
}

// Report says what failed, or "".
func (s Sweep) Report() string {
	if len(s.Failed) == 0 {
		return ""
	}
	return fmt.Sprintf("qtests: %d of %d seeds failed: %s\nto repeat the first: %s", len(s.Failed), s.Ran, listed(s.Failed), s.Repeat)
}

func listed(seeds []uint64) string {
	const most = 20
	text := strings.Trim(fmt.Sprint(seeds[:min(most, len(seeds))]), "[]")
	text = strings.ReplaceAll(text, " ", ", ")
	if len(seeds) > most {
		text += ", …"
	}
	return text
}

// Write leaves the sweep of a part in its room.
func (s Sweep) Write(r Room) error {
	text, err := json.Marshal(s)
	if err != nil {
		return err
	}
	return Write(r.File("sweep", ".json"), append(text, '\n'))
}

// ReadSweep reads what Write wrote.
func ReadSweep(text []byte) (s Sweep, err error) {
	if err := json.Unmarshal(text, &s); err != nil {
		return Sweep{}, err
	}
	if s.Version != SweepVersion {
		return Sweep{}, fmt.Errorf("is of version %d, and this qtests reads version %d", s.Version, SweepVersion)
	}
	mine, err := check(s.Index, s.Of)
	if err != nil {
		return Sweep{}, err
	}
	if s.Ran < 0 || s.Skipped < 0 || s.Seeds < 0 || s.Skipped > s.Ran || len(s.Failed) > s.Ran {
		return Sweep{}, fmt.Errorf("counts that no sweep can have: %d ran, %d skipped, %d failed", s.Ran, s.Skipped, len(s.Failed))
	}
	for _, seed := range s.Failed {
		if k := int64(seed-s.First) + 1; k < 1 || k > int64(s.Seeds) || !mine.Takes(k) {
			return Sweep{}, fmt.Errorf("seed %d is not one of part %s", seed, mine)
		}
	}
	return s, nil
}

// MergeSweeps puts the parts of a sweep together. The error names the parts that do not
// belong to the others.
func MergeSweeps(parts []Sweep) (Sweep, error) {
	parts = slices.SortedStableFunc(slices.Values(parts), func(a, b Sweep) int { return cmp.Compare(a.Index, b.Index) })
	if len(parts) == 0 {
		return Sweep{}, errors.New("there are no parts")
	}
	all := parts[0]
	all.Index, all.Ran, all.Skipped, all.Failed, all.Stopped, all.Repeat = 0, 0, 0, []uint64{}, nil, ""
	var indexes []int
	var errs []error
	least := uint64(0)
	for _, p := range parts {
		indexes = append(indexes, p.Index)
		own := Share{p.Index, p.Of}
		if p.Test != all.Test || p.First != all.First || p.Seeds != all.Seeds || p.Of != all.Of || p.Qtests != all.Qtests || p.Settings != all.Settings {
			errs = append(errs, fmt.Errorf("part %s is of another sweep: %s, %d seeds from %d, qtests %s, settings %q, and not %s, %d seeds from %d, qtests %s, settings %q",
				own, p.Test, p.Seeds, p.First, p.Qtests, p.Settings, all.Test, all.Seeds, all.First, all.Qtests, all.Settings))
			continue
		}
		if want := own.Count(int64(p.Seeds)); p.Stopped == nil && int64(p.Ran) != want {
			errs = append(errs, fmt.Errorf("part %s ran %d of its %d seeds", own, p.Ran, want))
		}
		all.Ran += p.Ran
		all.Skipped += p.Skipped
		all.Failed = append(all.Failed, p.Failed...)
		if p.Stopped != nil && (all.Stopped == nil || *p.Stopped < *all.Stopped) {
			all.Stopped = p.Stopped
		}
		if len(p.Failed) > 0 && (all.Repeat == "" || p.Failed[0] < least) {
			all.Repeat, least = p.Repeat, p.Failed[0]
		}
	}
	slices.Sort(all.Failed)
	return all, errors.Join(append(errs, Complete(indexes, all.Of))...)
}

// Complete wants every part once, and names those that are missing, doubled or foreign.
func Complete(indexes []int, of int) error {
	times := map[int]int{}
	for _, i := range indexes {
		times[i]++
	}
	var missing, doubled, foreign []int
	for i := 1; i <= of; i++ {
		if times[i] == 0 {
			missing = append(missing, i)
		} else if times[i] > 1 {
			doubled = append(doubled, i)
		}
	}
	for _, i := range indexes {
		if i < 1 || i > of {
			foreign = append(foreign, i)
		}
	}
	var errs []error
	for _, c := range []struct {
		parts []int
		what  string
	}{{missing, "missing"}, {doubled, "there more than once"}, {foreign, "no part of this run"}} {
		if len(c.parts) > 0 {
			errs = append(errs, fmt.Errorf("%s of %d: %s", Named(c.parts), of, c.what))
		}
	}
	return errors.Join(errs...)
}
