package share

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	// DefaultWait is how long a part waits for the others.
	DefaultWait = 10 * time.Minute
	// DefaultLead is how long after the last part has come the run starts. It is more than the time
	// in which a directory shows to all what one has written.
	DefaultLead = 2 * time.Second
	// LeadVar is the variable for the lead.
	LeadVar = "QTESTS_START_LEAD"
	// MostOff is how far the clocks of two parts may be apart.
	MostOff = time.Second
	// glance is how often a part looks for the others.
	glance = 50 * time.Millisecond
)

// Terms say how the parts of a run find their common start.
type Terms struct {
	Start time.Time // given, or zero
	Wait  time.Duration
	Lead  time.Duration
}

// TermsFromEnv reads QTESTS_START, QTESTS_START_WAIT and QTESTS_START_LEAD.
func TermsFromEnv(getenv func(string) string) (t Terms, err error) {
	t = Terms{Wait: DefaultWait, Lead: DefaultLead}
	if text := getenv(StartVar); text != "" {
		if t.Start, err = time.Parse(time.RFC3339Nano, text); err != nil {
			return t, fmt.Errorf("%s: %q is not a time of RFC 3339, such as 2026-01-31T12:00:00Z", StartVar, text)
		}
	}
	for _, v := range []struct {
		name string
		to   *time.Duration
	}{{WaitVar, &t.Wait}, {LeadVar, &t.Lead}} {
		if text := getenv(v.name); text != "" {
			if *v.to, err = time.ParseDuration(text); err != nil || *v.to <= 0 {
				return t, fmt.Errorf("%s: %q is not a duration over 0, such as 10m", v.name, text)
			}
		}
	}
	return t, nil
}

// A Meeting is what the parts agreed on.
type Meeting struct {
	Start time.Time
	// Off is how far the clock of this part is ahead of the directory's.
	Off time.Duration
}

// ready is what a part says when it comes.
type ready struct {
	At time.Time `json:"at"` // by its own clock
}

// An arrival is a part that has come, as the directory tells.
type arrival struct {
	index int
	at    time.Time     // by the clock of the directory
	off   time.Duration // of the clock of the part
}

// Meet finds the common start by the clock now. It waits until all parts have come, unless the
// start is given. The error says which parts have not come, or whose clock is off.
func (r Room) Meet(ctx context.Context, t Terms, now func() time.Time) (Meeting, error) {
	mine, err := r.come(now)
	if err != nil {
		return Meeting{}, err
	}
	if !t.Start.IsZero() {
		if late := now().Sub(t.Start); late >= 0 {
			return Meeting{}, fmt.Errorf("part %s: %s was %v ago: set it further ahead, to when all parts are up", r.Share, StartVar, late.Round(time.Millisecond))
		}
		return Meeting{t.Start, mine.off}, nil
	}
	all, err := r.await(ctx, t.Wait)
	if err != nil {
		return Meeting{}, err
	}
	if err := clocksAgree(all); err != nil {
		return Meeting{}, err
	}
	// The directory's clock, which all see alike, in terms of the own clock.
	latest := slices.MaxFunc(all, func(a, b arrival) int { return a.at.Compare(b.at) })
	m := Meeting{Start: latest.at.Add(t.Lead), Off: mine.off}
	if late := now().Sub(m.Start); late >= 0 {
		return Meeting{}, fmt.Errorf("part %s saw in %s only %v after the start that all parts were there: raise %s, or set %s",
			r.Share, r.Dir, late.Round(time.Millisecond), LeadVar, StartVar)
	}
	return m, nil
}

// come tells the others that this part is there.
func (r Room) come(now func() time.Time) (arrival, error) {
	at := now()
	data, err := json.Marshal(ready{at})
	if err != nil {
		return arrival{}, err
	}
	file := r.File("ready", ".json")
	// A disk that is busy would let the others wait, while the time of the file counts. It is of no use after the run.
	unsynced := func(*os.File) error { return nil }
	if err := write(file, data, unsynced); err != nil {
		return arrival{}, fmt.Errorf("part %s: %w", r.Share, err)
	}
	info, err := os.Stat(file)
	if err != nil {
		return arrival{}, err
	}
	return arrival{r.Index, info.ModTime(), at.Sub(info.ModTime())}, nil
}

// await waits for the others, in real time.
func (r Room) await(ctx context.Context, wait time.Duration) ([]arrival, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, wait, errLate)
	defer cancel()
	tick := time.NewTicker(glance)
	defer tick.Stop()
	for {
		all, missing, err := r.look()
		if err != nil || len(missing) == 0 {
			return all, err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			if cause := context.Cause(ctx); cause != errLate {
				return nil, cause
			}
			return nil, fmt.Errorf("part %s waited %v in %s for %s, which did not come: all parts need one shared directory, or %s (%s says how long to wait)",
				r.Share, wait, r.Dir, Named(missing), StartVar, WaitVar)
		}
	}
}

var errLate = errors.New("late")

// look sees who is there.
func (r Room) look() (all []arrival, missing []int, err error) {
	there := map[string]bool{}
	files, err := os.ReadDir(r.Dir) // one look at a directory, and not one for each part
	for _, f := range files {
		there[f.Name()] = true
	}
	for i := 1; i <= r.Of; i++ {
		if !there[filepath.Base(r.fileOf(i, "ready", ".json"))] {
			missing = append(missing, i)
		}
	}
	if err != nil || len(missing) > 0 {
		return nil, missing, err
	}
	for i := 1; i <= r.Of; i++ {
		a, err := readReady(r.fileOf(i, "ready", ".json"))
		if err != nil {
			return nil, nil, err
		}
		a.index = i
		all = append(all, a)
	}
	return all, nil, nil
}

func readReady(file string) (arrival, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return arrival{}, err
	}
	info, err := os.Stat(file)
	if err != nil {
		return arrival{}, err
	}
	var said ready
	if err := json.Unmarshal(data, &said); err != nil {
		return arrival{}, fmt.Errorf("%s: %w", file, err)
	}
	return arrival{at: info.ModTime(), off: said.At.Sub(info.ModTime())}, nil
}

// Named is "part 3" or "parts 1, 2".
func Named(parts []int) string {
	if len(parts) == 1 {
		return "part " + strconv.Itoa(parts[0])
	}
	names := make([]string, len(parts))
	for i, p := range parts {
		names[i] = strconv.Itoa(p)
	}
	return "parts " + strings.Join(names, ", ")
}

func clocksAgree(all []arrival) error {
	offs := make([]time.Duration, len(all))
	for i, a := range all {
		offs[i] = a.off
	}
	return Clocks(offs, func(i int) string { return fmt.Sprintf("part %d of %d", all[i].index, len(all)) })
}

// Clocks names the clocks that are wrong, by their distances from one clock, if two are MostOff apart.
// The one in the middle is right.
func Clocks(offs []time.Duration, name func(i int) string) error {
	apart := slices.Max(offs) - slices.Min(offs)
	if apart < MostOff {
		return nil
	}
	order := slices.Sorted(slices.Values(offs))
	middle := order[(len(order)-1)/2]
	var wrong []string
	for i, off := range offs {
		way := "ahead of"
		if off < middle {
			way = "behind"
		}
		if d := max(off-middle, middle-off); 2*d >= MostOff {
			wrong = append(wrong, fmt.Sprintf("the clock of %s is %v %s the others", name(i), d.Round(time.Millisecond), way))
		}
	}
	return fmt.Errorf("the clocks are %v apart, and may be %v: %s", apart.Round(time.Millisecond), MostOff, strings.Join(wrong, "; "))
}
