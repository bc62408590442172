package realworld

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
)

var readmeFlag = flag.Bool("readme", false, "write the outcomes into the table of README.md: into the column of the runtime that the tests ran on")

// results are those of all scenarios that ran.
var results struct {
	sync.Mutex
	list []*result
}

func (r *result) keep() {
	results.Lock()
	defer results.Unlock()
	results.list = append(results.list, r)
}

func TestMain(m *testing.M) {
	flag.Parse()
	code := m.Run()
	if *readmeFlag {
		if err := writeReadme("README.md"); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

func writeReadme(name string) error {
	text, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	out, err := exec.Command("go", "list", "-m", "all").Output()
	if err != nil {
		return fmt.Errorf("go list: %w", err)
	}
	versions := map[string]string{}
	for line := range strings.Lines(string(out)) {
		path, version, _ := strings.Cut(strings.TrimSpace(line), " ")
		versions[path] = version
	}
	filled, err := fill(string(text), versions, results.list)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return os.WriteFile(name, []byte(filled), 0o644)
}

// fill puts results into the lines of the tables that are theirs.
func fill(text string, versions map[string]string, results []*result) (string, error) {
	lines := strings.Split(text, "\n")
	for _, r := range results {
		found := false
		for i, line := range lines {
			cells := strings.Split(line, "|")
			if len(cells) < 2 || strings.TrimSpace(cells[1]) != "`"+r.test+"`" || !r.fill(cells, versions) {
				continue
			}
			found = true
			lines[i] = strings.Join(cells, "|")
		}
		if !found {
			return "", fmt.Errorf("the table has no line for %s", r.test)
		}
	}
	return strings.Join(lines, "\n"), nil
}

// fill puts a result into the cells of a line, if it is one of its table. Of outcomes the cells are: test, modules with
// their versions, outcomes on the stock runtime, outcomes on the ordered one, and lines of a run there; of hours: test,
// requests, how long the hour takes on the stock runtime and a request there, and the same of the ordered one.
func (r *result) fill(cells []string, versions map[string]string) bool {
	cell := func(i int, format string, args ...any) { cells[i] = " " + fmt.Sprintf(format, args...) + " " }
	switch {
	case len(cells) == 7 && !r.hour:
		cells[2] = withVersions(cells[2], versions)
		if r.ordered {
			cell(4, "%s", r.outcomes)
			cell(5, "%d", r.lines)
		} else {
			cell(3, "%s", r.outcomes)
		}
		return true
	case len(cells) == 8 && r.hour:
		first := 3
		if r.ordered {
			first = 5
		}
		if r.requests == 0 {
			cell(first, "%s", r.outcomes)
			cell(first+1, "")
			return true
		}
		cell(2, "%d", r.requests)
		cell(first, "%.1f s", r.took.Seconds())
		cell(first+1, "%.1f µs", float64(r.took.Nanoseconds())/1e3/float64(r.requests))
		return true
	}
	return false
}

// withVersions brings the versions in "module v1.2.3, module v4.5.6" up to date.
func withVersions(cell string, versions map[string]string) string {
	modules := strings.Split(strings.TrimSpace(cell), ", ")
	for i, m := range modules {
		path, _, _ := strings.Cut(m, " ")
		if v := versions[path]; v != "" {
			modules[i] = path + " " + v
		}
	}
	return " " + strings.Join(modules, ", ") + " "
}
