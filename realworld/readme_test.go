package realworld

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"runtime/debug"
	"strings"
	"sync"
	"testing"
	"time"
)

var readmeFlag = flag.Bool("readme", false, "write the outcomes into the table of README.md, into the column of the runtime that the tests run on")

// A result is what became of a scenario.
type result struct {
	test     string
	runs     int
	lines    int    // of the last run
	hash     uint64 // of the first run
	outcomes string // how many, or why none
	took     time.Duration
}

var results struct {
	sync.Mutex
	list []*result
}

func (r *result) report(t *testing.T) {
	if t.Failed() {
		r.outcomes = "fails"
	}
	results.Lock()
	results.list = append(results.list, r)
	results.Unlock()
}

func TestMain(m *testing.M) {
	flag.Parse()
	code := m.Run()
	if *readmeFlag {
		if err := writeReadme(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

// writeReadme puts the outcomes into the table: column 3 has those of the stock runtime,
// column 4 those of the ordered one, and column 2 the versions of the modules.
func writeReadme() error {
	text, err := os.ReadFile("README.md")
	if err != nil {
		return err
	}
	lines := strings.Split(string(text), "\n")
	for _, r := range results.list {
		found := false
		for i, line := range lines {
			cells := strings.Split(line, "|")
			if len(cells) != 7 || strings.Trim(cells[1], " `") != r.test {
				continue
			}
			found = true
			column := 3
			if probe.ordered {
				column = 4
				cells[5] = fmt.Sprintf(" %d ", r.lines)
			}
			cells[2] = " " + withVersions(cells[2]) + " "
			cells[column] = " " + r.outcomes + " "
			lines[i] = strings.Join(cells, "|")
		}
		if !found {
			return fmt.Errorf("README.md: no line for %s", r.test)
		}
	}
	return os.WriteFile("README.md", []byte(strings.Join(lines, "\n")), 0o644)
}

var versioned = regexp.MustCompile(`^(\S+)( v\S+)?$`)

// withVersions brings the versions of "module v1.2.3, module v4.5.6" up to date.
func withVersions(cell string) string {
	info, _ := debug.ReadBuildInfo()
	modules := strings.Split(strings.TrimSpace(cell), ", ")
	for i, m := range modules {
		name := versioned.FindStringSubmatch(m)
		for _, dep := range info.Deps {
			if name != nil && dep.Path == name[1] {
				modules[i] = dep.Path + " " + dep.Version
			}
		}
	}
	return strings.Join(modules, ", ")
}
