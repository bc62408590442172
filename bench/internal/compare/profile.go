package compare

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/pprof"
	"strings"
	"testing"
	"time"
)

// topFunctions is how many functions of a profile are shown.
const topFunctions = 10

// profileOurs takes turns of our contestant, alone, under the profiler for about d, and returns the functions that it was found in most.
func profileOurs(t testing.TB, c *Comparison, entrants []entrant, d time.Duration) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "cpu.prof")
	profile := c.ours().Profile
	if profile == nil {
		profile = func(file string) error { return profileTurns(entrants, file, d) }
	}
	if err := profile(file); err != nil {
		t.Fatalf("profiling: %v", err)
	}
	top, err := topOf(file)
	if err != nil {
		t.Fatalf("profiling: %v", err)
	}
	return top
}

func profileTurns(entrants []entrant, file string, d time.Duration) (err error) {
	stop, err := ProfileTo(file)
	if err != nil {
		return err
	}
	defer func() { err = firstOf(err, stop()) }()
	for _, e := range entrants {
		if e.Role != RoleOurs {
			continue
		}
		for start := time.Now(); time.Since(start) < d; {
			if _, err := e.turn(); err != nil {
				return err
			}
		}
	}
	return nil
}

// ProfileTo starts a CPU profile of this process, which stop ends.
func ProfileTo(file string) (stop func() error, err error) {
	out, err := os.Create(file)
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(out); err != nil {
		return nil, firstOf(err, out.Close())
	}
	return func() error {
		pprof.StopCPUProfile()
		return out.Close()
	}, nil
}

// topOf has the go command print the head of a profile, and leaves out the lines
// that name the file.
func topOf(file string) (string, error) {
	text, err := exec.Command("go", "tool", "pprof", "-top", fmt.Sprintf("-nodecount=%d", topFunctions), file).Output()
	if err != nil {
		return "", fmt.Errorf("go tool pprof: %w", err)
	}
	var kept []string
	for line := range strings.Lines(string(text)) {
		if name, _, _ := strings.Cut(line, ": "); name != "File" && name != "Build ID" && name != "Time" {
			kept = append(kept, strings.TrimRight(line, "\n"))
		}
	}
	return strings.Join(kept, "\n"), nil
}

func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
