package merge

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/go-qtests/qtests/qtests/internal/share"
	"github.com/go-qtests/qtests/qtests/internal/text"
	"github.com/go-qtests/qtests/qtests/load/result"
	"github.com/go-qtests/qtests/qtests/load/threshold"
)

// A Run is one run whose parts were put together.
type Run struct {
	// Name is the name of the run's directory.
	Name string
	// Parts is how many parts there are.
	Parts int
	// Result is what a load left, with its thresholds judged. It is nil for a sweep, and where Err is set.
	Result *result.Result
	// Seeds is how many seeds of a sweep were run, Failed those that failed, in order, and Skipped how many
	// were skipped.
	Seeds, Skipped int
	Failed         []uint64
	// Report says what failed: each threshold that was not kept, and seeds with the command that repeats the
	// first. It is empty if nothing did.
	Report []string
	// Err says why the parts do not belong together, or are not all there. It names them.
	Err error

	test string
}

// Failing reports whether something failed, or could not be put together.
func (r *Run) Failing() bool { return r.Err != nil || len(r.Report) > 0 }

// Dir puts together everything below a directory, in the order of the names of the runs. The error says
// that nothing could be read at all, or that there is nothing.
func Dir(dir string) ([]Run, error) {
	found, err := find(dir)
	if err != nil {
		return nil, fmt.Errorf("merge: %w", err)
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("merge: %s: no part of a run is there: were they run with %s?", dir, share.ResultsVar)
	}
	var runs []Run
	for _, name := range text.SortedKeys(found) {
		f := found[name]
		r := Run{Name: name, Parts: f.of}
		switch {
		case len(f.sweeps) > 0:
			r.mergeSweep(f)
		default:
			r.mergeLoad(f)
		}
		runs = append(runs, r)
	}
	return runs, nil
}

// files are those of a run.
type files struct {
	of                    int
	loads, sweeps, readys []file
}

type file struct {
	path  string
	index int
	of    int
}

var partName = regexp.MustCompile(`^(load|sweep|ready)-([0-9]{1,6})-of-([0-9]{1,6})\.json$`)

// find lists the files of every run.
func find(dir string) (map[string]*files, error) {
	found := map[string]*files{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		m := partName.FindStringSubmatch(d.Name())
		if m == nil {
			return nil
		}
		name := filepath.Base(filepath.Dir(path))
		if found[name] == nil {
			found[name] = &files{}
		}
		f := found[name]
		index, _ := strconv.Atoi(m[2]) // up to six digits
		of, _ := strconv.Atoi(m[3])
		f.of = max(f.of, of)
		x := file{path, index, of}
		switch m[1] {
		case "load":
			f.loads = append(f.loads, x)
		case "sweep":
			f.sweeps = append(f.sweeps, x)
		default:
			f.readys = append(f.readys, x)
		}
		return nil
	})
	return found, err
}

// mergeLoad puts the results of a load together and judges it.
func (r *Run) mergeLoad(f *files) {
	var parts []*result.Result
	var errs []error
	for _, x := range f.loads {
		p, err := readLoad(x)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		parts = append(parts, p)
	}
	errs = append(errs, f.absent(f.loads))
	if r.Err = errors.Join(errs...); r.Err != nil {
		return
	}
	res, err := result.Merge(parts...)
	if err != nil {
		r.Err = err
		return
	}
	r.test = res.Test
	if !res.Part.Whole {
		if res.Thresholds, r.Err = threshold.JudgeMerged(res); r.Err != nil {
			return
		}
	}
	r.Result = res
	r.Report = troubles(res)
}

// absent names the parts that left no result, and says of those that came that they did.
func (f *files) absent(there []file) error {
	var indexes []int
	for _, x := range there {
		indexes = append(indexes, x.index)
	}
	var missing, began []int
	for i := 1; i <= f.of; i++ {
		if !slices.Contains(indexes, i) {
			missing = append(missing, i)
			if slices.ContainsFunc(f.readys, func(x file) bool { return x.index == i }) {
				began = append(began, i)
			}
		}
	}
	switch {
	case len(missing) == 0:
		return nil
	case len(began) == 0:
		return fmt.Errorf("%s of %d: missing", share.Named(missing), f.of)
	}
	return fmt.Errorf("%s of %d: missing; %s began, and left no result", share.Named(missing), f.of, share.Named(began))
}

// readLoad reads the result of a part, and sees that its log is whole.
func readLoad(x file) (*result.Result, error) {
	data, err := os.ReadFile(x.path)
	if err != nil {
		return nil, err
	}
	name := fmt.Sprintf("part %d of %d", x.index, x.of)
	p, err := result.Read(bytes.NewReader(data))
	switch {
	case err != nil:
		return nil, fmt.Errorf("%s: %s is truncated or no result: %w", name, x.path, err)
	case p.Part == nil || p.Part.Index != x.index || p.Part.Of != x.of:
		return nil, fmt.Errorf("%s: %s is not the result of that part", name, x.path)
	}
	log := strings.TrimSuffix(x.path, ".json") + ".hlog"
	data, err = os.ReadFile(log)
	if err != nil {
		return nil, fmt.Errorf("%s: the log of response times is missing: %w", name, err)
	}
	if sum := sha256.Sum256(data); hex.EncodeToString(sum[:]) != p.Part.HLog {
		return nil, fmt.Errorf("%s: %s is truncated or was changed", name, log)
	}
	return p, nil
}

// troubles says what fails a load, as load.Run does.
func troubles(r *result.Result) (out []string) {
	for _, v := range r.Failed() {
		out = append(out, "threshold "+v.String())
	}
	if r.Panics > 0 {
		out = append(out, "code of the scenario panicked "+text.Times(r.Panics))
	}
	if r.Abandoned > 0 {
		out = append(out, fmt.Sprintf("%d requests ignored that their context was cancelled", r.Abandoned))
	}
	if r.LogLost != "" {
		out = append(out, "the request log was not written to its end: "+r.LogLost)
	}
	if r.Slow {
		out = append(out, r.Warning)
	}
	if r.Scheduled == 0 && r.Halted == "" {
		out = append(out, "no request came, and so nothing was tested")
	}
	if r.Halted != "" {
		out = append(out, "the run ended early: "+r.Halted)
	}
	return out
}

// mergeSweep puts the seeds of a test together.
func (r *Run) mergeSweep(f *files) {
	var parts []share.Sweep
	var errs []error
	for _, x := range f.sweeps {
		data, err := os.ReadFile(x.path)
		var s share.Sweep
		if err == nil {
			s, err = share.ReadSweep(data)
		}
		if err == nil && (s.Index != x.index || s.Of != x.of) {
			err = errors.New("is of another part")
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("part %d of %d: %s is truncated or no sweep: %w", x.index, x.of, x.path, err))
			continue
		}
		parts = append(parts, s)
	}
	errs = append(errs, f.absent(f.sweeps))
	if r.Err = errors.Join(errs...); r.Err != nil {
		return
	}
	all, err := share.MergeSweeps(parts)
	if err != nil {
		r.Err = err
		return
	}
	r.test, r.Seeds, r.Skipped, r.Failed = all.Test, all.Ran, all.Skipped, all.Failed
	if report := all.Report(); report != "" {
		r.Report = append(r.Report, report)
	}
	if all.Stopped != nil {
		r.Report = append(r.Report, fmt.Sprintf("seed %d left goroutines behind that could not go on, and ended the seeds of its part", *all.Stopped))
	}
}
