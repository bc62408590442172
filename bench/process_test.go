package bench

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/bench/internal/compare"
)

// What depends on the history of a process, and what a process costs, is measured
// in one of its own: this test binary, which runs TestJob with a job in the
// variable and prints the outcome.
const jobVariable = "QTESTS_BENCH_JOB"

// A job is what a process has to do.
type job struct {
	Kind     string // one of jobs
	URL      string
	Duration time.Duration
	// Rate is requests per second of an open model; without it Users ask as fast as
	// they are answered, or are tests of a suite.
	Rate, Users int
}

// An outcome is what a process says of its job.
type outcome struct {
	Requests int
	LateP99  time.Duration // started minus due, at a rate
	Bytes    int64         // of memory
	Readings compare.Readings
}

// jobs are the kinds of jobs.
var jobs = map[string]func(job) (outcome, error){
	"qtests":      loadOurs,
	"qtests, raw": loadRaw,
	"vegeta":      loadVegeta,
	"loop":        loadLoop,
	"users":       usersWithin,
	"goroutines":  goroutinesAsleep,

	"suite, qtests":     suiteOf(retryInRun),
	"suite, synctest":   suiteOf(retryInBubble),
	"suite, quartz":     suiteOf(retryOnQuartz),
	"suite, clock.Mock": suiteOf(retryOnMock),
}

// TestJob is the life of a process that has a job.
func TestJob(t *testing.T) {
	text, ok := os.LookupEnv(jobVariable)
	if !ok {
		t.Skip("for processes that others of these tests start")
	}
	var j job
	require.NoError(t, json.Unmarshal([]byte(text), &j))
	do := jobs[j.Kind]
	require.NotNil(t, do, j.Kind)
	out, err := do(j)
	require.NoError(t, err)
	require.NoError(t, json.NewEncoder(os.Stdout).Encode(out))
}

// outside does the job in a process of its own.
func (j job) outside() (out outcome, p process, err error) {
	text, err := json.Marshal(j)
	if err != nil {
		return out, p, err
	}
	self, err := os.Executable()
	if err != nil {
		return out, p, err
	}
	cmd := exec.Command(self, "-test.run=^TestJob$")
	cmd.Env = append(os.Environ(), jobVariable+"="+string(text))
	if p, err = runProcess(cmd); err != nil {
		return out, p, err
	}
	// What the testing package prints comes after it.
	if err := json.NewDecoder(bytes.NewReader(p.stdout)).Decode(&out); err != nil {
		return out, p, fmt.Errorf("%s printed %q: %w", j.Kind, p.stdout, err)
	}
	return out, p, nil
}

// A process is what a generator's process has cost.
type process struct {
	stdout  []byte
	cpu     time.Duration
	peakRSS float64 // in bytes, or 0 where the system does not say
}

// runProcess runs a program to its end.
func runProcess(cmd *exec.Cmd) (p process, err error) {
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Start(); err != nil {
		return p, err
	}
	ended := make(chan struct{})
	var watch sync.WaitGroup
	watch.Go(func() { p.peakRSS = peakRSS(cmd.Process.Pid, ended) })
	err = cmd.Wait()
	close(ended)
	watch.Wait()
	if err != nil {
		return p, fmt.Errorf("%s: %w\n%s%s", cmd.Path, err, stdout.String(), stderr.String())
	}
	p.stdout = []byte(stdout.String())
	p.cpu = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	return p, nil
}

// peakRSS watches a process until it has ended and returns the most memory that it
// had resident. (The figure that wait returns is no use: on Linux a child starts
// with the peak of its parent.)
func peakRSS(pid int, ended <-chan struct{}) (peak float64) {
	for {
		if status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid)); err == nil {
			peak = max(peak, peakIn(string(status)))
		}
		select {
		case <-ended:
			return peak
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// peakIn reads VmHWM, which is in KiB.
func peakIn(status string) float64 {
	for line := range strings.Lines(status) {
		if value, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kib, err := strconv.ParseFloat(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(value), "kB")), 64)
			if err == nil {
				return kib * 1024
			}
		}
	}
	return 0
}
