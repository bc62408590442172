package main

import (
	"context"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/go-qtests/qtests/qtests/cmd/qtests/internal/find"
	"github.com/go-qtests/qtests/qtests/internal/explore"
	"github.com/go-qtests/qtests/qtests/internal/ordered"
	"github.com/go-qtests/qtests/qtests/internal/share"
	"github.com/go-qtests/qtests/qtests/internal/text"
)

// mostTold are the kinds of failure of a test that are cut down and told, with -all.
const mostTold = 5

// search searches one test, and tells what it has found. It reports whether the test opens a
// bubble.
func (d *finding) search(ctx context.Context, target find.Target, env []string) (bool, error) {
	spec, err := explore.Parse(d.explore)
	if err != nil {
		return false, err
	}
	temp, err := os.MkdirTemp(d.temp, "search-")
	if err != nil {
		return false, err
	}
	s := find.New(target, find.Options{
		Seeds: d.seeds, For: d.limit, Procs: d.procs, Share: share.Current(), All: d.all, Explore: spec, Env: env, Temp: temp,
		Progress: d.progress(),
	})
	defer s.Remove()
	sum, err := s.Run(ctx)
	if err != nil {
		return false, err
	}
	if len(sum.Tests) == 0 {
		return false, nil
	}
	d.tell(sum, spec)
	// What was found is cut down behind an interrupt as well, within its own limit.
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Minute)
	defer stop()
	for i, f := range sum.Found {
		d.failed = true
		if i < mostTold && (i == 0 || d.all) {
			if err := d.account(ctx, s, sum, f); err != nil {
				return true, err
			}
		}
	}
	return true, nil
}

// progressEach is how much longer a search has taken when it says the next time how far it is.
const progressEach = 5 * time.Second

// progress says now and then how far a search is.
func (d *finding) progress() func(st find.Status) {
	var next time.Duration
	return func(st find.Status) {
		if st.Finished || st.Elapsed < next {
			return
		}
		next = st.Elapsed + progressEach
		d.say("%s: %s, %s of failure, %s/s", st.Test, text.Plural(st.Runs, "run"), text.Plural(st.Kinds, "kind"),
			text.Grouped(int64(float64(st.Runs)/st.Elapsed.Seconds())))
	}
}

// tell prints the numbers of a search.
func (d *finding) tell(sum *find.Summary, spec explore.Spec) {
	stopped := ""
	if sum.Stopped {
		stopped = ", interrupted"
	}
	fmt.Fprintf(d.stdout, "%s of %s: %s in %v%s\n", sum.Target.Name, sum.Target.Package, text.Plural(sum.Runs, "run"), sum.Elapsed.Round(time.Millisecond), stopped)
	for _, test := range slices.Sorted(maps.Keys(sum.Steps)) {
		fmt.Fprintf(d.stdout, "  %s: %s, %s with a choice%s\n", test, text.Plural(sum.Goroutines[test], "goroutine"), text.Plural(sum.Steps[test], "step"),
			bound(spec, sum.Goroutines[test], sum.Steps[test], sum.Runs))
	}
	if sum.Points == 0 && d.points {
		fmt.Fprintln(d.stdout, "  no point was passed: the test uses nothing of the main module that goroutines share")
	}
	for _, f := range sum.Found {
		fmt.Fprintf(d.stdout, "  FAIL %s: %s%s: %s, first with seed %d\n", f.Test, f.Kind, place(f.Where), f.Text, f.Seed)
		if f.Count > 1 {
			fmt.Fprintf(d.stdout, "       %s of %s\n", text.Grouped(int64(f.Count)), text.Plural(sum.RunsOf[f.Test], "run"))
		}
	}
	for _, name := range sum.Never {
		d.failed = true
		fmt.Fprintf(d.stdout, "  FAIL %s was never true\n", name)
	}
	if len(sum.Found) == 0 && len(sum.Never) == 0 {
		fmt.Fprintln(d.stdout, "  no failure")
	}
}

func place(where string) string {
	if where == "" {
		return ""
	}
	return " at " + where
}

// bound says what PCT promises: the chance with which so many runs find a bug of a depth.
func bound(spec explore.Spec, n, k, runs int) string {
	if spec.Strategy != ordered.PCT {
		return ""
	}
	var parts []string
	for d := 1; d <= spec.Depth; d++ {
		p := explore.Bound(d, n, k)
		parts = append(parts, fmt.Sprintf("%d with %.3g a run, %.0f%% in these", d, p, 100*(1-math.Pow(1-p, float64(runs)))))
	}
	return "; PCT finds a bug of depth " + strings.Join(parts, "; ")
}

// account cuts a failure down, writes it under the artifacts, and tells it.
func (d *finding) account(ctx context.Context, s *find.Search, sum *find.Summary, f *find.Found) error {
	trial, ok := s.Cut(ctx, f)
	if !ok {
		d.last = fmt.Sprintf("repeat: go tool qtests test %s%s -run '%s' -qtests.seed=%d -qtests.explore=%v", d.flags(), sum.Target.Package, sum.Target.Pattern, f.Seed, f.Explore)
		return nil
	}
	dir, err := filepath.Abs(filepath.Join(d.chdir, d.output, explore.FileName(f.Test)))
	if err != nil {
		return err
	}
	file := explore.File{Test: f.Test, Seed: f.Seed, Trial: trial, Notes: []string{
		sum.Target.Package, f.Is(), fmt.Sprintf("found with seed %d, %v, and cut down from %s", f.Seed, f.Explore, text.Plural(len(f.Choices), "choice")),
	}}
	name := filepath.Join(dir, explore.FileName(f.Test)+".choices")
	if err := writeFile(name, func(w *os.File) error { _, err := file.WriteTo(w); return err }); err != nil {
		return err
	}
	fmt.Fprintf(d.stdout, "\n%s: %s, cut down %s\n", f.Test, f.Is(), cutDown(f, trial))
	if err := d.tellStory(ctx, s, f, trial, strings.TrimSuffix(name, ".choices")); err != nil {
		d.say("no account of %s: %v", f.Test, err)
	}
	fmt.Fprintf(d.stdout, "to keep it as a test: copy %s to %s\n", name, filepath.Join(sum.Target.Dir, "testdata", "qtests"))
	d.last = fmt.Sprintf("repeat: go tool qtests test %s%s -run '%s' -qtests.replay=%s", d.flags(), sum.Target.Package, sum.Target.Pattern, name)
	return nil
}

// cutDown says what is left of a failure.
func cutDown(f *find.Found, t explore.Trial) string {
	said := fmt.Sprintf("from %s to %s other than first come, first served", text.Grouped(int64(len(f.Choices))), text.Plural(len(t.Choices), "choice"))
	if t.As.Asked {
		said = fmt.Sprintf("with its choices as they are, which are too many to keep: %v", t.As)
	}
	if f.Inputs == nil {
		return said
	}
	if n := len(f.Inputs.Faults); n > 0 {
		said += fmt.Sprintf(", and from %s to %s", text.Grouped(int64(n)), text.Plural(len(t.Inputs.Faults), "fault"))
	}
	for _, l := range t.Inputs.Loads {
		if !l.Whole() {
			said += fmt.Sprintf("; %v", l)
		}
	}
	return said
}

// flags are those with which test compiles what find has searched.
func (d *finding) flags() string {
	text := ""
	if d.points {
		text = "-points "
	}
	for _, f := range d.build {
		text += strings.TrimSuffix(f, "=true") + " "
	}
	return text
}

func writeFile(name string, write func(w *os.File) error) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	w, err := os.Create(name)
	if err != nil {
		return err
	}
	err = write(w)
	if err2 := w.Close(); err == nil {
		err = err2
	}
	return err
}
