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

// fill puts results into the lines of a table, whose cells are test, modules with their
// versions, outcomes on the stock runtime, outcomes on the ordered one, and lines of a run
// there.
func fill(text string, versions map[string]string, results []*result) (string, error) {
	lines := strings.Split(text, "\n")
	for _, r := range results {
		found := false
		for i, line := range lines {
			cells := strings.Split(line, "|")
			if len(cells) != 7 || strings.TrimSpace(cells[1]) != "`"+r.test+"`" {
				continue
			}
			found = true
			cells[2] = withVersions(cells[2], versions)
			if r.ordered {
				cells[4], cells[5] = " "+r.outcomes+" ", fmt.Sprintf(" %d ", r.lines)
			} else {
				cells[3] = " " + r.outcomes + " "
			}
			lines[i] = strings.Join(cells, "|")
		}
		if !found {
			return "", fmt.Errorf("the table has no line for %s", r.test)
		}
	}
	return strings.Join(lines, "\n"), nil
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
