// Package find searches for an interleaving under which a test fails: it runs compiled tests
// under many seeds in several processes, takes note of how they fail, cuts the choices of the
// first failure down to those that matter, and has the account of that run made.
package find

import (
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/go-qtests/qtests/qtests/internal/explore"
	"github.com/go-qtests/qtests/qtests/internal/inputs"
	"github.com/go-qtests/qtests/qtests/internal/ordered"
	"github.com/go-qtests/qtests/qtests/internal/share"
)

// A Target is a test of a compiled package.
type Target struct {
	Binary  string // absolute
	Dir     string // in which the package's tests run
	Package string // import path
	Name    string // of the test
	Pattern string // for -test.run
}

// Options are those of a search.
type Options struct {
	Seeds   int           // how many
	For     time.Duration // real time after which no run begins, 0 for no limit
	Procs   int           // processes at once
	Share   share.Share   // of the seeds; the first is run by every part
	All     bool          // go on behind a failure
	Explore explore.Spec
	Env     []string
	Temp    string        // directory for files of the search
	Hang    time.Duration // real time of a run without an end that is a failure
	// Progress is told how far the search is, now and then.
	Progress func(s Status)
}

// A Status is how far a search is.
type Status struct {
	Test     string
	Runs     int
	Kinds    int
	Elapsed  time.Duration
	Finished bool
}

// A Found is one kind of failure of one test.
type Found struct {
	*explore.Failure
	Test    string
	Seed    uint64 // the least under which it was seen
	Count   int
	Seeds   []uint64     // the first mostSeeds under which it was seen
	Explore explore.Spec // with the number of steps
	Choices []ordered.Choice
	Whole   bool           // Choices are all
	Inputs  *inputs.Inputs // nil for none
	known   bool           // Choices have been told
}

const mostSeeds = 10_000

// A Summary is what a search of one target came to.
type Summary struct {
	Target     Target
	Runs       int
	Elapsed    time.Duration
	Tests      []string       // that opened a bubble
	RunsOf     map[string]int // by test
	Steps      map[string]int
	Goroutines map[string]int
	Points     int
	Found      []*Found // in the order in which they were found
	Never      []string // what T.Sometimes was told and was never true, as "test: name"
	Stopped    bool     // by the end of the context
}

// A Search is one over one target.
type Search struct {
	Target
	Options
	began     time.Time
	summary   Summary
	sometimes map[string]bool
	serial    int
	cut       time.Duration // mostCut, but in a test
}

// New prepares a search.
func New(t Target, o Options) *Search {
	if o.Hang == 0 {
		o.Hang = 20 * time.Second
	}
	return &Search{
		Target: t, Options: o, sometimes: map[string]bool{}, cut: mostCut,
		summary: Summary{Target: t, RunsOf: map[string]int{}, Steps: map[string]int{}, Goroutines: map[string]int{}},
	}
}

// Run runs the seeds. The end of ctx ends the search, which then says what it has found.
func (s *Search) Run(ctx context.Context) (*Summary, error) {
	s.began = time.Now()
	fifo, err := explore.Parse("fifo")
	if err != nil {
		return nil, err
	}
	// The base first: it also says how many steps there are.
	if err := s.seeds(ctx, explore.Session{From: 1, To: 2, Stride: 1, Explore: fifo, All: true}); err != nil {
		return nil, err
	}
	if len(s.summary.Tests) > 0 && (s.All || len(s.summary.Found) == 0) && s.Seeds > 1 && ctx.Err() == nil {
		err = s.parallel(ctx)
	}
	s.summary.Elapsed = time.Since(s.began)
	s.summary.Stopped = ctx.Err() != nil
	for name, ever := range s.sometimes {
		if !ever {
			s.summary.Never = append(s.summary.Never, name)
		}
	}
	slices.Sort(s.summary.Never)
	return &s.summary, err
}

// from is the first seed of process i of this part.
func (s *Search) from(i int) uint64 {
	first := int64(2)
	for !s.Share.Takes(first) {
		first++
	}
	return uint64(first) + uint64(i*max(s.Share.Of, 1))
}

// parallel shares the seeds from 2 on among processes.
func (s *Search) parallel(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	base := explore.Session{To: uint64(s.Seeds) + 1, Stride: uint64(s.Procs * max(s.Share.Of, 1)), Explore: s.Explore, All: s.All, Steps: maps.Clone(s.summary.Steps)}
	if s.For > 0 {
		base.Until = s.began.Add(s.For).UnixMilli()
	}
	type end struct{ err error }
	ends := make(chan end)
	events := make(chan event)
	for i := range s.Procs {
		session := base
		session.From = s.from(i)
		w := s.worker(session)
		go func() { ends <- end{w.all(ctx, events)} }()
	}
	var first error
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for left := s.Procs; left > 0; {
		select {
		case e := <-events:
			if s.take(e.Result, e.spec) && !s.All {
				stop()
			}
		case e := <-ends:
			left--
			if first == nil {
				first = e.err
			}
		case <-tick.C:
			s.tell(false)
		}
	}
	s.tell(true)
	return first
}

func (s *Search) tell(finished bool) {
	if s.Progress != nil {
		s.Progress(Status{s.Name, s.summary.Runs, len(s.summary.Found), time.Since(s.began), finished})
	}
}

// seeds runs one session in this goroutine.
func (s *Search) seeds(ctx context.Context, session explore.Session) error {
	events := make(chan event)
	ended := make(chan error, 1)
	w := s.worker(session)
	go func() { ended <- w.all(ctx, events); close(events) }()
	for e := range events {
		s.take(e.Result, e.spec)
	}
	return <-ended
}

// take takes note of a run, and reports whether it failed.
func (s *Search) take(r explore.Result, spec explore.Spec) bool {
	sum := &s.summary
	sum.Runs++
	sum.RunsOf[r.Test]++
	if !slices.Contains(sum.Tests, r.Test) {
		sum.Tests = append(sum.Tests, r.Test)
	}
	if r.Over {
		sum.Steps[r.Test] = max(sum.Steps[r.Test], r.Steps)
		sum.Goroutines[r.Test] = max(sum.Goroutines[r.Test], r.Goroutines)
		sum.Points += r.Points
	}
	for name, was := range r.Sometimes {
		name = r.Test + ": " + name
		s.sometimes[name] = s.sometimes[name] || was
	}
	if r.Failure == nil {
		return false
	}
	for _, f := range sum.Found {
		if f.Test == r.Test && f.Is() == r.Failure.Is() {
			f.Count++
			if len(f.Seeds) < mostSeeds {
				f.Seeds = append(f.Seeds, r.Seed)
			}
			if r.Seed < f.Seed {
				f.Failure, f.Seed, f.Explore, f.Choices, f.Whole, f.Inputs, f.known = r.Failure, r.Seed, spec, r.Choices, r.Whole, r.Inputs, r.Over
			}
			return true
		}
	}
	sum.Found = append(sum.Found, &Found{
		Failure: r.Failure, Test: r.Test, Seed: r.Seed, Seeds: []uint64{r.Seed}, Count: 1, Explore: spec, Choices: r.Choices, Whole: r.Whole, Inputs: r.Inputs, known: r.Over,
	})
	return true
}

// temp names a file of the search that no other has.
func (s *Search) temp(what string) string {
	s.serial++
	return filepath.Join(s.Temp, fmt.Sprintf("%d-%s", s.serial, what))
}

// command is a run of the tests in a process.
func (s *Search) command(ctx context.Context, pattern, session string, output io.Writer) *exec.Cmd {
	cmd := exec.CommandContext(ctx, s.Binary, "-test.run="+pattern, "-test.timeout=0", "-test.count=1")
	cmd.Dir = s.Dir
	cmd.Env = append(slices.DeleteFunc(slices.Clone(s.Env), func(v string) bool {
		return strings.HasPrefix(v, "QTESTS_SEED") || strings.HasPrefix(v, share.Var) || strings.HasPrefix(v, share.ResultsVar+"=") || strings.HasPrefix(v, "QTESTS_EXPLORE=") || strings.HasPrefix(v, "QTESTS_REPLAY=")
	}), explore.SessionVar+"="+session, "PWD="+s.Dir)
	cmd.Stdout, cmd.Stderr = output, output
	cmd.WaitDelay = time.Second
	return cmd
}

// Remove removes the files of the search.
func (s *Search) Remove() { _ = os.RemoveAll(s.Temp) }
