package compare

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"runtime"
	"strings"
)

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

const unknownCPU = "unknown processor"

// cpuModel reads the model from where Linux tells it.
func cpuModel() (model string, err error) {
	file, err := os.Open("/proc/cpuinfo")
	if errors.Is(err, fs.ErrNotExist) {
		return unknownCPU, nil
	}
	if err != nil {
		return "", err
	}
	defer func() { err = firstOf(err, file.Close()) }()
	return modelIn(file)
}

func modelIn(cpuinfo io.Reader) (string, error) {
	lines := bufio.NewScanner(cpuinfo)
	for lines.Scan() {
		if name, value, ok := strings.Cut(lines.Text(), ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value), nil
		}
	}
	return unknownCPU, lines.Err()
}

// A Version is the version of a module that takes part.
type Version struct{ Module, Version string }

// Versions are the modules that this one requires directly, as go.mod has them.
// (The build information of a test binary does not name them.)
func Versions() ([]Version, error) {
	out, err := exec.Command("go", "mod", "edit", "-json").Output()
	if err != nil {
		return nil, fmt.Errorf("go mod edit: %w", err)
	}
	var mod struct {
		Require []struct {
			Path, Version string
			Indirect      bool
		}
		Replace []struct{ Old struct{ Path string } }
	}
	if err := json.Unmarshal(out, &mod); err != nil {
		return nil, fmt.Errorf("go mod edit: %w", err)
	}
	replaced := map[string]bool{}
	for _, r := range mod.Replace {
		replaced[r.Old.Path] = true
	}
	var versions []Version
	for _, r := range mod.Require {
		if !r.Indirect && !replaced[r.Path] {
			versions = append(versions, Version{r.Path, r.Version})
		}
	}
	return versions, nil
}

// Revision says which code is checked out where the working directory lies:
// what git describe calls its commit, and whether it has changes that are not
// committed. Those to the files that are written do not count. Without git, or a
// checkout, it is unknown.
func Revision(written ...string) string {
	commit, err := exec.Command("git", "describe", "--always").Output()
	if err != nil {
		return "unknown"
	}
	status := []string{"--no-optional-locks", "status", "--porcelain", "--untracked-files=all", "--", ":/"}
	for _, file := range written {
		status = append(status, ":(exclude)"+file)
	}
	changes, err := exec.Command("git", status...).Output()
	revision := strings.TrimSpace(string(commit))
	if err != nil {
		return revision + ", perhaps with uncommitted changes"
	}
	if len(changes) > 0 {
		return revision + " with uncommitted changes"
	}
	return revision
}
