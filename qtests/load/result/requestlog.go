package result

import (
	"bufio"
	"cmp"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// A LoggedRequest is one request and how it came out. All times are offsets from the start of the run,
// in nanoseconds. If several events fall on one instant, the clock of qtests.Run puts them in order by
// some nanoseconds, which these times include: round a duration to the microsecond.
type LoggedRequest struct {
	Scenario string `json:"scenario"`
	// Request is the number of the request, from 1, in the order of the starts;
	// 0 of one that was dropped.
	Request int64 `json:"request"`
	// User is the number of the user; in an open profile that of the arrival.
	User int64 `json:"user"`
	// Step is empty of a dropped request, unless Scenario.Route named it.
	Step string `json:"step"`
	// State is how it came out, the same as Result counts it:
	//
	//	ok           finished without an error
	//	error        finished with an error
	//	interrupted  cancelled after the grace; part of Result.Interrupted
	//	abandoned    ignored that it was cancelled; part of Result.Interrupted, too
	//	dropped      due, and never started
	State string `json:"state"`
	// Tags are those of User.Tag, as key=value;key=value, with a \ before each \, ; and = of a key or
	// a value. The tags of an abandoned request are not known.
	Tags     string        `json:"tags,omitempty"`
	Intended time.Duration `json:"intended_ns"` // when it was due
	// Started is, of a dropped request, the same as Finished.
	Started time.Duration `json:"started_ns"`
	// Finished is when the request ended, was dropped, or was given up.
	Finished time.Duration `json:"finished_ns"`
	// Attempts is 0 of a dropped request, and of an abandoned one, where it is not known.
	Attempts int `json:"attempts"`
	// Error is the kind of the error, as Scenario.ErrorKind names it.
	Error string `json:"error,omitempty"`
}

// The states of a LoggedRequest.
const (
	StateOK          = "ok"
	StateError       = "error"
	StateInterrupted = "interrupted"
	StateAbandoned   = "abandoned"
	StateDropped     = "dropped"
)

// A RequestLog writes every request of a run when it ends or is dropped, in that order. Under a fake clock
// the order is the same in every run. It keeps nothing but a buffer, and writes nothing of a run after
// the run has returned its result. It is safe for concurrent use by several runs.
type RequestLog struct {
	// out is locked while the user's writer is called. Nothing else is locked then, and no run is.
	out struct {
		sync.Mutex
		w     *bufio.Writer
		write func(LoggedRequest) error
		err   error
		spare []LoggedRequest
	}
	mu struct {
		sync.Mutex
		// instant are the requests that ended at the latest instant. They are put in order when it is
		// over: of two goroutines that one event wakes, either may end first.
		instant []LoggedRequest
		ready   []LoggedRequest // those before, to be written
	}
}

// maxInstant bounds how many requests of one instant are put in order.
const maxInstant = 10_000

// CSVRequestLog writes lines of CSV, after one that names the columns:
//
//	scenario,request,user,step,state,tags,intended_ns,started_ns,finished_ns,attempts,error
//
// They are the fields of [LoggedRequest]. A text that begins with =, +, -, @, a tab or a carriage return
// gets a ' in front, because spreadsheets would take it for a formula. w must not wait for the clock of the
// run.
func CSVRequestLog(w io.Writer) *RequestLog {
	s := newRequestLog(w)
	out := csv.NewWriter(s.out.w)
	head := false
	s.out.write = func(x LoggedRequest) error {
		if !head {
			head = true
			_ = out.Write([]string{"scenario", "request", "user", "step", "state", "tags", "intended_ns", "started_ns", "finished_ns", "attempts", "error"})
		}
		_ = out.Write([]string{inert(x.Scenario), decimal(x.Request), decimal(x.User), inert(x.Step), x.State, inert(x.Tags), decimal(int64(x.Intended)),
			decimal(int64(x.Started)), decimal(int64(x.Finished)), strconv.Itoa(x.Attempts), inert(x.Error)})
		out.Flush()
		return out.Error()
	}
	return s
}

// inert makes a cell of a text that no spreadsheet evaluates.
func inert(cell string) string {
	if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
		return "'" + cell
	}
	return cell
}

// JSONRequestLog writes one [LoggedRequest] per line as a JSON object. w must not wait for the
// clock of the run.
func JSONRequestLog(w io.Writer) *RequestLog {
	s := newRequestLog(w)
	out := json.NewEncoder(s.out.w)
	s.out.write = func(x LoggedRequest) error { return out.Encode(x) }
	return s
}

func newRequestLog(w io.Writer) *RequestLog {
	s := &RequestLog{}
	s.out.w = bufio.NewWriterSize(careful{w}, 64<<10)
	return s
}

// careful makes an error of a panic of the user's writer.
type careful struct{ w io.Writer }

func (c careful) Write(p []byte) (n int, err error) {
	defer func() {
		if v := recover(); v != nil {
			n, err = 0, fmt.Errorf("the writer panicked: %v", v)
		}
	}()
	return c.w.Write(p)
}

func decimal(n int64) string { return strconv.FormatInt(n, 10) }

// Put takes a request. A run calls it under its mutex, because only there the order in which requests
// end is known. Put writes nothing; Pump does.
func (s *RequestLog) Put(x LoggedRequest) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if held := s.mu.instant; len(held) > 0 && held[0].Finished != x.Finished || len(held) >= maxInstant {
		s.readyLocked()
	}
	s.mu.instant = append(s.mu.instant, x)
}

func (s *RequestLog) readyLocked() {
	slices.SortStableFunc(s.mu.instant, func(a, b LoggedRequest) int {
		return cmp.Or(cmp.Compare(a.Scenario, b.Scenario), cmp.Compare(a.Request, b.Request), cmp.Compare(a.User, b.User))
	})
	s.mu.ready = append(s.mu.ready, s.mu.instant...)
	s.mu.instant = s.mu.instant[:0]
}

// Pump writes what was put before the latest instant, and waits for a slow writer. A run calls it after
// Put, when it holds no lock. A nil RequestLog has nothing to write.
func (s *RequestLog) Pump() {
	if s == nil {
		return
	}
	s.out.Lock()
	defer s.out.Unlock()
	s.writeLocked(false)
}

// writeLocked writes what is ready; all includes the latest instant. s.out is locked.
func (s *RequestLog) writeLocked(all bool) {
	s.mu.Lock()
	if all {
		s.readyLocked()
	}
	ready := s.mu.ready
	s.mu.ready = s.out.spare
	s.mu.Unlock()
	for i := 0; i < len(ready) && s.out.err == nil; i++ {
		if s.out.write == nil {
			s.out.err = errors.New("is not made by CSVRequestLog or JSONRequestLog")
			break
		}
		s.out.err = s.out.write(ready[i])
	}
	s.out.spare = ready[:0]
	if cap(ready) > 2*maxInstant {
		s.out.spare = nil // a whole queue was dropped
	}
}

// Flush writes what is buffered and returns the first error of the writer. Every run flushes when it ends.
// An error then is in its result as LogLost.
func (s *RequestLog) Flush() error {
	s.out.Lock()
	defer s.out.Unlock()
	s.writeLocked(true)
	if s.out.err == nil && s.out.w != nil {
		s.out.err = s.out.w.Flush()
	}
	if s.out.err != nil {
		return fmt.Errorf("load: RequestLog: %w", s.out.err)
	}
	return nil
}
