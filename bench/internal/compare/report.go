package compare

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"
)

// A Report is everything that a run of the comparisons has found.
type Report struct {
	// Command is what wrote it.
	Command string
	// Profiled is how a row is profiled, and ProfiledOutside how one is whose work is
	// done in another process. %s is the argument of -bench.
	Profiled, ProfiledOutside string
	Date                      time.Time
	Machine                   Machine
	Versions                  []Version
	Options                   Options
	Took                      time.Duration
	Declared                  int // how many comparisons there are; a part of them may have been run
	Groups                    []GroupResult
}

// A GroupResult is the results of a group.
type GroupResult struct {
	*Group
	Results []*Result
}

// Results runs all comparisons in subtests of t, so that -run selects among them.
// tell is told of each as it begins.
func Results(t *testing.T, groups []Group, o Options, tell func(string)) (all []GroupResult) {
	for i := range groups {
		g := GroupResult{Group: &groups[i]}
		t.Run(g.Name, func(t *testing.T) {
			for i := range g.Comparisons {
				c := &g.Comparisons[i]
				t.Run(c.Name, func(t *testing.T) {
					tell(g.Name + ": " + c.Name)
					g.Results = append(g.Results, Run(t, c, o))
				})
			}
		})
		if len(g.Results) > 0 {
			all = append(all, g)
		}
	}
	return all
}

// A Machine is what the results were measured on.
type Machine struct {
	CPU          string
	Cores, Procs int
	Go, OS       string
}

// ThisMachine describes this one.
func ThisMachine() (Machine, error) {
	cpu, err := cpuModel()
	return Machine{
		CPU: cpu, Cores: runtime.NumCPU(), Procs: runtime.GOMAXPROCS(0),
		Go: runtime.Version(), OS: runtime.GOOS + "/" + runtime.GOARCH,
	}, err
}

// cpuModel reads the model from where Linux tells it.
func cpuModel() (model string, err error) {
	file, err := os.Open("/proc/cpuinfo")
	if errors.Is(err, fs.ErrNotExist) {
		return "unknown processor", nil
	}
	if err != nil {
		return "", err
	}
	defer func() { err = firstOf(err, file.Close()) }()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if name, value, ok := strings.Cut(lines.Text(), ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value), nil
		}
	}
	return "unknown processor", nil
}

// A Version is that of a module that takes part.
type Version struct{ Module, Version string }

// Versions asks the go command for the modules that this one requires directly. (The build
// information of a test binary does not name them.)
func Versions() ([]Version, error) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{if not (or .Main .Indirect .Replace)}}{{.Path}} {{.Version}}{{end}}", "all").Output()
	if err != nil {
		return nil, fmt.Errorf("go list -m: %w", err)
	}
	var versions []Version
	for line := range strings.Lines(string(out)) {
		if module, version, ok := strings.Cut(strings.TrimSpace(line), " "); ok {
			versions = append(versions, Version{module, version})
		}
	}
	return versions, nil
}
