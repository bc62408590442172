package find

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"time"

	"github.com/go-qtests/qtests/qtests/internal/explore"
)

// An event is a run of a worker that has ended, or that ended its process.
type event struct {
	explore.Result
	spec explore.Spec
}

// A worker runs a session, in one process after the other: where a run ends its process, the
// next one goes on behind it.
type worker struct {
	search  *Search
	pattern string // of the tests that it runs
	session explore.Session
	file    string   // with the session
	out     *os.File // what the process writes
	begun   *explore.Result
	read    int64
	rest    []byte
	lastly  time.Time // when the last result came
}

// worker makes one. It is called before the search is shared.
func (s *Search) worker(session explore.Session) *worker {
	session.Results, session.Dump = s.temp("results"), s.temp("dump")
	return &worker{search: s, pattern: s.Pattern, session: session, file: s.temp("session")}
}

// workerFor is a worker that runs the test of f and no other.
func (s *Search) workerFor(f *Found, session explore.Session) *worker {
	w := s.worker(session)
	parts := strings.Split(f.Test, "/")
	for i, p := range parts {
		parts[i] = "^" + regexp.QuoteMeta(p) + "$"
	}
	w.pattern = strings.Join(parts, "/")
	return w
}

// all runs the session to its end, and sends every run.
func (w *worker) all(ctx context.Context, events chan<- event) error {
	for ctx.Err() == nil {
		again, err := w.process(ctx, func(r explore.Result) {
			select {
			case events <- event{r, w.spec(r)}:
			case <-ctx.Done():
			}
		})
		if err != nil || !again {
			return err
		}
	}
	return nil
}

// spec is how the choices of a run were made.
func (w *worker) spec(r explore.Result) explore.Spec {
	spec := w.session.Explore
	return spec.Over(w.session.Steps[r.Test])
}

// process runs one process, and reports whether another has to go on behind it.
func (w *worker) process(ctx context.Context, each func(explore.Result)) (again bool, err error) {
	data, err := json.Marshal(w.session)
	if err == nil {
		err = os.WriteFile(w.file, data, 0o600)
	}
	if err == nil {
		w.out, err = os.Create(w.file + ".out")
	}
	if err != nil {
		return false, err
	}
	defer w.out.Close() //nolint:errcheck // it is read by name
	hung, err := w.wait(ctx, each)
	if ctx.Err() != nil {
		return false, nil
	}
	exit, failed := errors.AsType[*exec.ExitError](err)
	switch {
	case err != nil && !failed:
		return false, err
	case w.begun == nil && failed && !hung:
		return false, fmt.Errorf("%s of %s fails outside its bubbles:\n%s", w.search.Name, w.search.Package, w.tail())
	case w.begun == nil:
		return false, nil
	}
	r := *w.begun
	w.begun = nil
	if hung {
		r.Failure = &explore.Failure{Kind: "hang", Text: fmt.Sprintf("no end within %v of real time", w.search.Hang)}
	} else {
		r.Failure = death(w.tail(), exit)
	}
	w.goOnBehind(r)
	each(r)
	return w.session.All, nil
}

// wait waits for the end of the process, and tells of each run. A run that takes too long
// ends it.
func (w *worker) wait(ctx context.Context, each func(explore.Result)) (hung bool, err error) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	cmd := w.search.command(ctx, w.pattern, w.file, w.out)
	if err := cmd.Start(); err != nil {
		return false, err
	}
	w.lastly = time.Now()
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case err := <-ended:
			w.results(each)
			return hung, err
		case <-tick.C:
			w.results(each)
			if !hung && time.Since(w.lastly) > w.search.Hang {
				hung = true
				stop()
			}
		}
	}
}

// results reads what has been told since the last time.
func (w *worker) results(each func(explore.Result)) {
	f, err := os.Open(w.session.Results)
	if err != nil {
		return // nothing yet
	}
	defer f.Close() //nolint:errcheck // nothing was written
	if _, err := f.Seek(w.read, io.SeekStart); err != nil {
		return
	}
	data, _ := io.ReadAll(f) // what cannot be read is read the next time
	w.read += int64(len(data))
	data = append(w.rest, data...)
	for {
		line, rest, whole := bytes.Cut(data, []byte("\n"))
		if !whole {
			w.rest = bytes.Clone(data)
			return
		}
		data = rest
		var r explore.Result
		if json.Unmarshal(line, &r) != nil {
			continue // a line of a process that was killed in between
		}
		w.lastly = time.Now()
		if !r.Over {
			w.begun = &r
			continue
		}
		w.begun = nil
		w.goOnBehind(r)
		each(r)
	}
}

// goOnBehind has the next process, where there is one, leave out what has been run.
func (w *worker) goOnBehind(r explore.Result) {
	if w.session.Stride == 0 {
		return // no seeds
	}
	if w.session.Next == nil {
		w.session.Next = map[string]uint64{}
	}
	w.session.Next[r.Test] = r.Seed + w.session.Stride
}

// mostTail is how much of the output of a process is read.
const mostTail = 1 << 20

// tail is the end of what the process has written.
func (w *worker) tail() []byte {
	info, err := w.out.Stat()
	if err != nil {
		return nil
	}
	from := max(info.Size()-mostTail, 0)
	data := make([]byte, info.Size()-from)
	n, _ := w.out.ReadAt(data, from) // what there is
	return data[:n]
}
