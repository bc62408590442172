package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"

	"github.com/go-qtests/qtests/bench/internal/compare"
	"github.com/go-qtests/qtests/qtests/load"
)

// generatorVariable makes this test binary a load generator: it does the job in
// the variable, prints the outcome, and ends.
const generatorVariable = "QTESTS_BENCH_GENERATOR"

// A job is what a load generator has to do.
type job struct {
	Generator string // qtests or vegeta
	URL       string
	Duration  time.Duration
	// Rate is requests per second of an open model; without it Workers ask as
	// fast as they are answered.
	Rate, Workers int
	CPUProfile    string `json:",omitempty"` // file for one
}

// An outcome is what a generator says of its run.
type outcome struct {
	Requests int
	LateP99  time.Duration // started minus due, at a rate
}

// generate is the life of a process that is a load generator.
func generate(text string) {
	var j job
	out, err := outcome{}, json.Unmarshal([]byte(text), &j)
	if err == nil {
		out, err = j.profiled()
	}
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(out)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func (j job) profiled() (out outcome, err error) {
	if j.CPUProfile != "" {
		stop, err := compare.ProfileTo(j.CPUProfile)
		if err != nil {
			return out, err
		}
		defer func() { err = firstOf(err, stop()) }()
	}
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 1000}}
	defer client.CloseIdleConnections()
	if j.Generator == "vegeta" {
		return j.vegeta(client)
	}
	return j.qtests(client)
}

func (j job) qtests(client *http.Client) (outcome, error) {
	profile := load.Users(j.Workers)
	if j.Rate > 0 {
		profile = load.Rate(float64(j.Rate))
	}
	res, err := load.Do(context.Background(), load.Scenario{Profile: profile.For(j.Duration), Do: j.get(client)})
	if err != nil {
		return outcome{}, err
	}
	if res.Errors > 0 || res.Dropped > 0 {
		return outcome{}, fmt.Errorf("of %d requests %d failed and %d were dropped", res.Scheduled, res.Errors, res.Dropped)
	}
	return outcome{int(res.Finished), res.Late.Percentile(99)}, nil
}

func (j job) get(client *http.Client) func(context.Context, *load.User) error {
	return func(ctx context.Context, _ *load.User) error {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, j.URL, nil)
		if err != nil {
			return err
		}
		resp, err := client.Do(r)
		if err != nil {
			return err
		}
		_, err = io.Copy(io.Discard, resp.Body)
		return errors.Join(err, resp.Body.Close())
	}
}

func (j job) vegeta(client *http.Client) (outcome, error) {
	options := []func(*vegeta.Attacker){vegeta.Client(client)}
	if j.Rate == 0 {
		options = append(options, vegeta.Workers(uint64(j.Workers)), vegeta.MaxWorkers(uint64(j.Workers)))
	}
	targets := vegeta.NewStaticTargeter(vegeta.Target{Method: http.MethodGet, URL: j.URL})
	pace := vegeta.Rate{Freq: j.Rate, Per: time.Second} // a rate of 0 is as fast as possible
	out, start := outcome{}, time.Now()
	var late []time.Duration
	for r := range vegeta.NewAttacker(options...).Attack(targets, pace, j.Duration, "") {
		if r.Error != "" {
			return out, errors.New(r.Error)
		}
		out.Requests++
		if j.Rate > 0 {
			due := start.Add(time.Duration(r.Seq) * time.Second / time.Duration(j.Rate)) // its first one is due at once
			late = append(late, max(r.Timestamp.Sub(due), 0))
		}
	}
	if len(late) > 0 {
		slices.Sort(late)
		out.LateP99 = late[(len(late)*99+99)/100-1] // the nearest rank, as ours
	}
	return out, nil
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
