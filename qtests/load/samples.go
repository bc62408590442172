package load

import (
	"bufio"
	"cmp"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// A Sample is one request that ended. All times are offsets from the start of
// the run.
type Sample struct {
	Scenario string        `json:"scenario"`
	Request  int64         `json:"request"`
	User     int64         `json:"user"`
	Step     string        `json:"step"`
	Tags     string        `json:"tags,omitempty"` // key=value;key=value
	Intended time.Duration `json:"intended_ns"`
	Started  time.Duration `json:"started_ns"`
	Finished time.Duration `json:"finished_ns"`
	Attempts int           `json:"attempts"`
	Error    string        `json:"error,omitempty"` // its kind
}

// Samples writes every request of a run as it ends, in the order in which they
// end, which under a fake clock is the same in every run. It keeps nothing
// but a buffer. It is safe for concurrent use by several runs.
type Samples struct {
	mu struct {
		sync.Mutex
		w     *bufio.Writer
		write func(Sample) error
		err   error
		// instant are the requests that ended at one instant. They are written in
		// order once it is over: of two goroutines that one event wakes, either
		// may end first.
		instant []Sample
	}
}

// maxInstant bounds how many requests of one instant are put in order.
const maxInstant = 10_000

// CSVSamples writes lines of CSV, after one that names the columns. w must not
// wait for the clock of the run.
func CSVSamples(w io.Writer) *Samples {
	s := &Samples{}
	s.mu.w = bufio.NewWriterSize(w, 64<<10)
	out := csv.NewWriter(s.mu.w)
	head := false
	s.mu.write = func(x Sample) error {
		if !head {
			head = true
			_ = out.Write([]string{"scenario", "request", "user", "step", "tags", "intended_ns", "started_ns", "finished_ns", "attempts", "error"})
		}
		_ = out.Write([]string{x.Scenario, decimal(x.Request), decimal(x.User), x.Step, x.Tags, decimal(int64(x.Intended)),
			decimal(int64(x.Started)), decimal(int64(x.Finished)), strconv.Itoa(x.Attempts), x.Error})
		out.Flush()
		return out.Error()
	}
	return s
}

// JSONSamples writes one JSON object per line.
func JSONSamples(w io.Writer) *Samples {
	s := &Samples{}
	s.mu.w = bufio.NewWriterSize(w, 64<<10)
	out := json.NewEncoder(s.mu.w)
	s.mu.write = func(x Sample) error { return out.Encode(x) }
	return s
}

func decimal(n int64) string { return strconv.FormatInt(n, 10) }

func (s *Samples) add(x Sample) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if held := s.mu.instant; len(held) > 0 && held[0].Finished != x.Finished || len(held) >= maxInstant {
		s.writeLocked()
	}
	s.mu.instant = append(s.mu.instant, x)
}

func (s *Samples) writeLocked() {
	slices.SortStableFunc(s.mu.instant, func(a, b Sample) int {
		return cmp.Or(cmp.Compare(a.Scenario, b.Scenario), cmp.Compare(a.Request, b.Request))
	})
	for _, x := range s.mu.instant {
		if s.mu.err == nil {
			s.mu.err = s.mu.write(x)
		}
	}
	s.mu.instant = s.mu.instant[:0]
}

// Flush writes what is buffered and returns the first error of the writer. Every
// run flushes when it ends; an error then ends up in its result as Halted.
func (s *Samples) Flush() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writeLocked()
	if err := s.mu.w.Flush(); s.mu.err == nil && err != nil {
		s.mu.err = err
	}
	if s.mu.err != nil {
		return fmt.Errorf("load: Samples: %w", s.mu.err)
	}
	return nil
}

// sample streams a request that ended.
//
//go:noinline
func (r *run) sample(u *User, finished time.Duration, kind string) {
	tags := make([]string, len(u.tags))
	for i, t := range u.tags {
		tags[i] = t.key + "=" + t.value
	}
	r.Samples.add(Sample{
		Scenario: r.Name, Request: u.request, User: u.id, Step: u.step.name, Tags: strings.Join(tags, ";"),
		Intended: u.intended, Started: u.started, Finished: finished, Attempts: u.Attempt(), Error: kind,
	})
}
