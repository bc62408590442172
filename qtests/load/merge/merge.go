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
		runs = append(runs, found[name].merge(name))
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
	kind  string // load, sweep or ready
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
		if x, ok := fileOf(path); ok {
			filesOf(found, filepath.Base(filepath.Dir(path))).add(x)
		}
		return nil
	})
	return found, err
}

// filesOf returns the files of a run, none at first.
func filesOf(found map[string]*files, run string) *files {
	if found[run] == nil {
		found[run] = &files{}
	}
	return found[run]
}

// fileOf reads the name of a file.
func fileOf(path string) (x file, ok bool) {
	m := partName.FindStringSubmatch(filepath.Base(path))
	if m == nil {
		return x, false
	}
	index, _ := strconv.Atoi(m[2]) // up to six digits
	of, _ := strconv.Atoi(m[3])
	return file{path, m[1], index, of}, true
}

func (f *files) add(x file) {
	f.of = max(f.of, x.of)
	switch x.kind {
	case "load":
		f.loads = append(f.loads, x)
	case "sweep":
		f.sweeps = append(f.sweeps, x)
	default:
		f.readys = append(f.readys, x)
	}
}

// merge puts the parts of a run together.
func (f *files) merge(name string) Run {
	r := Run{Name: name, Parts: f.of}
	if len(f.sweeps) > 0 {
		r.Err = r.mergeSweep(f)
	} else {
		r.Err = r.mergeLoad(f)
	}
	return r
}

// readAll reads one kind of file of every part. The error names each part whose file is missing or cannot be read.
func readAll[P any](f *files, there []file, read func(file) (P, error)) (parts []P, err error) {
	var errs []error
	for _, x := range there {
		p, err := read(x)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		parts = append(parts, p)
	}
	return parts, errors.Join(append(errs, f.absent(there))...)
}

// mergeLoad puts the results of a load together and judges it.
func (r *Run) mergeLoad(f *files) error {
	parts, err := readAll(f, f.loads, readLoad)
	if err != nil {
		return err
	}
	res, err := result.Merge(parts...)
	if err != nil {
		return err
	}
	r.test = res.Test
	if !res.Part.Whole {
		if res.Thresholds, err = threshold.JudgeMerged(res); err != nil {
			return err
		}
	}
	r.Result, r.Report = res, troubles(res)
	return nil
}

// absent names the parts that left no result, and says which of them began.
func (f *files) absent(there []file) error {
	missing := f.missing(there)
	began := slices.DeleteFunc(slices.Clone(missing), func(index int) bool { return !holds(f.readys, index) })
	switch {
	case len(missing) == 0:
		return nil
	case len(began) == 0:
		return fmt.Errorf("%s of %d: missing", share.Named(missing), f.of)
	}
	return fmt.Errorf("%s of %d: missing; %s began, and left no result", share.Named(missing), f.of, share.Named(began))
}

// missing are the parts without a file among those that are there.
func (f *files) missing(there []file) (indexes []int) {
	for index := 1; index <= f.of; index++ {
		if !holds(there, index) {
			indexes = append(indexes, index)
		}
	}
	return indexes
}

// holds reports whether one of the files is of the part.
func holds(all []file, index int) bool {
	return slices.ContainsFunc(all, func(x file) bool { return x.index == index })
}

// readLoad reads the result of a part, and sees that its log is whole.
func readLoad(x file) (*result.Result, error) {
	data, err := os.ReadFile(x.path)
	if err != nil {
		return nil, err
	}
	p, err := x.result(data)
	if err == nil {
		err = checkLog(strings.TrimSuffix(x.path, ".json")+".hlog", p.Part.HLog)
	}
	if err != nil {
		return nil, fmt.Errorf("part %d of %d: %w", x.index, x.of, err)
	}
	return p, nil
}

// result is what the file has, if it is the result of the part in its name.
func (x file) result(data []byte) (*result.Result, error) {
	p, err := result.Read(bytes.NewReader(data))
	switch {
	case err != nil:
		return nil, fmt.Errorf("%s is truncated or no result: %w", x.path, err)
	case p.Part == nil || p.Part.Index != x.index || p.Part.Of != x.of:
		return nil, fmt.Errorf("%s is not the result of that part", x.path)
	}
	return p, nil
}

// checkLog compares a log of response times with its checksum.
func checkLog(name, sum string) error {
	data, err := os.ReadFile(name)
	if err != nil {
		return fmt.Errorf("the log of response times is missing: %w", err)
	}
	if is := sha256.Sum256(data); hex.EncodeToString(is[:]) != sum {
		return fmt.Errorf("%s is truncated or was changed", name)
	}
	return nil
}

// troubles says what fails a load, as load.Run does.
func troubles(r *result.Result) []string { return append(brokenThresholds(r), others(r)...) }

func brokenThresholds(r *result.Result) (out []string) {
	for _, v := range r.Failed() {
		out = append(out, "threshold "+v.String())
	}
	return out
}

// others says what fails a load beside its thresholds.
func others(r *result.Result) (out []string) {
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
func (r *Run) mergeSweep(f *files) error {
	parts, err := readAll(f, f.sweeps, readSweep)
	if err != nil {
		return err
	}
	all, err := share.MergeSweeps(parts)
	if err != nil {
		return err
	}
	r.test, r.Seeds, r.Skipped, r.Failed = all.Test, all.Ran, all.Skipped, all.Failed
	r.Report = seedTroubles(all)
	return nil
}

// seedTroubles says what fails a sweep.
func seedTroubles(s share.Sweep) (out []string) {
	if report := s.Report(); report != "" {
		out = append(out, report)
	}
	if s.Stopped != nil {
		out = append(out, fmt.Sprintf("seed %d left goroutines behind that could not go on, and ended the seeds of its part", *s.Stopped))
	}
	return out
}

// readSweep reads the seeds of a part.
func readSweep(x file) (s share.Sweep, err error) {
	data, err := os.ReadFile(x.path)
	if err == nil {
		s, err = share.ReadSweep(data)
	}
	if err == nil && (s.Index != x.index || s.Of != x.of) {
		err = errors.New("is of another part")
	}
	if err != nil {
		return s, fmt.Errorf("part %d of %d: %s is truncated or no sweep: %w", x.index, x.of, x.path, err)
	}
	return s, nil
}
