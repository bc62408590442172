package compare

import (
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime/pprof"
	"slices"
	"strings"
	"testing"
	"time"
)

// A Profile is where ours, alone, spends its processor time in a comparison.
type Profile struct {
	Group, Comparison string
	// Behind is how many times its limit the row has that was the reason.
	Behind float64
	// Text is the functions of ours that spend most, together with what they call.
	Text string
}

// topFunctions is how many functions of a profile are shown.
const topFunctions = 10

// profileWorst profiles ours where it is farthest behind a target in time, in so many
// comparisons. Own is a regular expression of the functions that are ours. What ours does in
// another process is passed over: a profile of this process says nothing about it.
func (r *Report) profileWorst(t *testing.T, count int, length time.Duration, own string) {
	for _, p := range r.farthestBehind() {
		if len(r.Profiles) == count {
			return
		}
		t.Run("profile/"+p.Group+"/"+p.Comparison, func(t *testing.T) {
			text, err := p.take(t, length, own)
			if err != nil {
				t.Fatal(err)
			}
			if strings.Count(text, "\n") > 1 {
				p.Text = text
				r.Profiles = append(r.Profiles, p.Profile)
			}
		})
	}
}

type candidate struct {
	Profile
	of *Comparison
}

// farthestBehind are the comparisons whose time misses a ratio, the worst first.
func (r *Report) farthestBehind() (all []candidate) {
	for _, g := range r.Groups {
		for _, result := range g.Results {
			worst := candidate{Profile{Group: g.Name, Comparison: result.Name}, result.Comparison}
			for _, row := range result.Rows() {
				for _, j := range row.Judged {
					if j.Verdict == Missed && j.kind == ratio && row.Figure.Unit == Nanoseconds {
						worst.Behind = max(worst.Behind, j.Actual.Median/j.limit)
					}
				}
			}
			if worst.Behind > 0 {
				all = append(all, worst)
			}
		}
	}
	slices.SortStableFunc(all, func(a, b candidate) int { return cmp.Compare(b.Behind, a.Behind) })
	return all
}

// take has ours work for about so long and returns the head of its profile.
func (c candidate) take(t *testing.T, length time.Duration, own string) (string, error) {
	if c.of.Setup != nil {
		c.of.Setup(t)
	}
	work, file := c.of.ours().Work, filepath.Join(t.TempDir(), "cpu.prof")
	out, err := os.Create(file)
	if err != nil {
		return "", err
	}
	turn := work.turn(t)
	if err := pprof.StartCPUProfile(out); err != nil {
		return "", firstOf(err, out.Close())
	}
	for start := time.Now(); err == nil && time.Since(start) < length; {
		err = turn(length)
	}
	pprof.StopCPUProfile()
	if err := firstOf(err, out.Close()); err != nil {
		return "", err
	}
	return topOf(file, own)
}

// turn sets the work up and returns a turn of about a length.
func (w Work) turn(t testing.TB) func(length time.Duration) error {
	if w.timed != nil {
		run := w.timed(t)
		return func(length time.Duration) error {
			n, err := repeats(run, length)
			if err != nil {
				return err
			}
			return run(n)
		}
	}
	measure := w.measured(t)
	return func(time.Duration) error {
		_, err := measure(Full)
		return err
	}
}

// topOf has the go command print the table of a profile.
func topOf(file, own string) (string, error) {
	out, err := exec.Command("go", "tool", "pprof", "-top", "-cum", fmt.Sprint("-nodecount=", topFunctions), "-show="+own, file).Output()
	if err != nil {
		return "", fmt.Errorf("go tool pprof: %w", err)
	}
	text := strings.TrimRight(string(out), "\n")
	if at := regexp.MustCompile(`(?m)^ +flat `).FindStringIndex(text); at != nil {
		text = text[at[0]:]
	}
	return text, nil
}

func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

const aboutProfiles = `## Profiles

Where ours, alone, spends its processor time in the rows that are farthest behind their target: the %d functions of qtests that
spend most together with what they call (cum); *flat* includes what they spend in functions of others, the runtime's for
instance. Any row is profiled again, in the directory ` + "`bench`" + `, by the command above its table, and by ` + "`-memprofile`" + ` for what it allocates.
`

// profiles is the last part of the report.
func (r *Report) profiles(w *strings.Builder) {
	if len(r.Profiles) == 0 {
		return
	}
	fmt.Fprintf(w, aboutProfiles, topFunctions)
	for _, p := range r.Profiles {
		fmt.Fprintf(w, "\n### %s: %s, %s times its limit\n\n```sh\ngo test -run '^$' -bench '%s' -cpuprofile cpu.prof .\n```\n\n```text\n%s\n```\n",
			title(p.Group), p.Comparison, Number(p.Behind), benchmarkOf(p.Group, p.Comparison), p.Text)
	}
}
