// Package keep writes what a load run found for a test that fails, without being asked: the report, the JSON of the result,
// and the last marks of the event log. It writes when the test is over, outside of the bubble, because only then it is known whether the test fails.
package keep

import (
	"crypto/sha256"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/go-qtests/qtests/qtests/event"
	"github.com/go-qtests/qtests/qtests/internal/tenancy"
	"github.com/go-qtests/qtests/qtests/load/result"
	"github.com/go-qtests/qtests/qtests/tb"
)

const (
	// maxRuns is how many runs of a test are kept: the last ones.
	maxRuns = 8
	// maxMarks is how many marks are written.
	maxMarks = 500
)

// A Run is one that may have to be kept.
type Run struct {
	// Result returns what the run left, or what it has so far, if it never ended.
	Result func() *result.Result
	Log    *event.Log
}

// A test that can say whether it failed, and has a place for files.
type test interface {
	tb.TB
	Failed() bool
	ArtifactDir() string
}

// keepers are those of the tests that run.
var keepers struct {
	sync.Mutex
	all map[test][]Run
}

// Later keeps a run of t until t is over, and writes its files then if t has failed. In a bubble it waits for the test around the bubble, which
// fails for leaks and stalls as well. For a t that cannot say whether it has failed, or has no place for files, it does nothing.
func Later(t tb.TB, r Run) {
	owner, ok := ownerOf(t)
	if ok && add(owner, r) {
		owner.Cleanup(func() { conclude(owner) })
	}
}

// add keeps a run, and reports whether it is the first one of its test.
func add(owner test, r Run) (first bool) {
	keepers.Lock()
	defer keepers.Unlock()
	if keepers.all == nil {
		keepers.all = map[test][]Run{}
	}
	runs, known := keepers.all[owner]
	if len(runs) == maxRuns {
		runs = runs[1:]
	}
	keepers.all[owner] = append(runs[:len(runs):len(runs)], r)
	return !known
}

// take returns the runs of a test, and keeps them no more.
func take(owner test) []Run {
	keepers.Lock()
	defer keepers.Unlock()
	runs := keepers.all[owner]
	delete(keepers.all, owner)
	return runs
}

func ownerOf(t tb.TB) (test, bool) {
	if _, ok := t.(test); !ok { // one that only records, or that hides what it is
		return nil, false
	}
	var outer any = t
	if b := tenancy.Here(); b != nil {
		outer = b.Outer
	}
	owner, ok := outer.(test)
	return owner, ok
}

// conclude is called when a test is over.
func conclude(t test) {
	runs := take(t)
	if !t.Failed() {
		return
	}
	if err := saveAll(t, runs); err != nil {
		t.Logf("load: what the failed test found could not be kept: %v", err)
	}
}

func saveAll(t test, runs []Run) error {
	dir, err := directory(t)
	if err != nil {
		return err
	}
	for _, r := range runs {
		if err := save(t, dir, r); err != nil {
			return err
		}
	}
	return nil
}

func save(t test, dir string, r Run) error {
	res := r.Result()
	page, err := res.SaveTo(dir)
	if err != nil {
		return err
	}
	t.Logf("load: the report of %s is %s", res.Scenario, page)
	return os.WriteFile(strings.TrimSuffix(page, ".html")+".marks.txt", []byte(marks(r.Log)), 0o600)
}

// marks are the last ones of a log, a line for each.
func marks(log *event.Log) string {
	all, dropped := log.Marks()
	var b strings.Builder
	if cut := len(all) - maxMarks; cut > 0 {
		fmt.Fprintf(&b, "… %d before\n", cut)
		all = all[cut:]
	}
	for _, m := range all {
		fmt.Fprintf(&b, "%s  %s  %s\n", m.At.UTC().Format("2006-01-02 15:04:05.000000"), m.Source, m.Text)
	}
	if dropped > 0 {
		fmt.Fprintf(&b, "… %d were dropped: the log was full\n", dropped)
	}
	return b.String()
}

// directory is where the files go. With go test -artifacts it is the directory for artifacts of the test, which stays. Otherwise it is
// a directory in the user's cache, one for each test of a package, which has what failed last.
func directory(t test) (string, error) {
	if f := flag.Lookup("test.artifacts"); f != nil && f.Value.String() == "true" {
		return t.ArtifactDir(), nil
	}
	dir, err := cached(t.Name())
	if err != nil {
		return "", err
	}
	if err := removeReports(dir); err != nil {
		return "", err
	}
	return dir, os.MkdirAll(dir, 0o700)
}

// cached is the directory of a test of this package in os.UserCacheDir.
func cached(test string) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	pkg, err := os.Getwd() // go test runs the tests of a package in its directory
	if err != nil {
		return "", err
	}
	key := sha256.Sum256([]byte(pkg))
	return filepath.Join(cache, "qtests", "failed", fmt.Sprintf("%s-%x", filepath.Base(pkg), key[:4]), result.FileName(test)), nil
}

// removeReports removes the files of an earlier failure.
func removeReports(dir string) error {
	old, err := filepath.Glob(filepath.Join(escaped(dir), "load-*"))
	for _, name := range old {
		_ = os.Remove(name)
	}
	return err
}

// escaped is a name that Glob takes as it is.
func escaped(name string) string {
	return strings.NewReplacer(`[`, `\[`, `*`, `\*`, `?`, `\?`).Replace(name)
}
