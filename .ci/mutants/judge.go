package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	killed     = "KILLED"
	lived      = "LIVED"
	equal      = "EQUIVALENT"
	notCovered = "NOT COVERED"
	// batch is how long the tests are together that run in one process.
	batch = 300 * time.Millisecond
)

// A binary has the tests of one package, and runs in its directory.
type binary struct{ path, dir string }

// A test is one that passes without mutants.
type test struct {
	binary
	name    string
	took    time.Duration
	reaches map[int]bool
}

// A tester runs the tests of some binaries, a few at a time.
type tester struct {
	binaries   []binary
	equivalent map[string]bool
	longest    time.Duration
	free       chan struct{}
}

func newTester(equivalent map[string]bool) *tester {
	workers, err := strconv.Atoi(cmp.Or(os.Getenv("WORKERS"), "2"))
	must(err)
	longest, err := time.ParseDuration(cmp.Or(os.Getenv("LONGEST"), "10m"))
	must(err)
	return &tester{nil, equivalent, longest, make(chan struct{}, workers)}
}

func (t *tester) add(bin, dir string) { t.binaries = append(t.binaries, binary{bin, dir}) }

// judgeAll sets the state of every mutant, and prints those that no test notices.
func (t *tester) judgeAll(mutants []*mutant) {
	tests := t.tests()
	var wait sync.WaitGroup
	for _, m := range mutants {
		wait.Go(func() {
			m.state = t.judge(m, tests)
			switch {
			case m.state == killed:
			case t.equivalent[m.String()]:
				m.state = equal
			default:
				fmt.Fprintf(os.Stderr, "%s line %d: %s\n", m.state, m.line, m)
			}
		})
	}
	wait.Wait()
}

var isTest = regexp.MustCompile(`^(Test|Example|Fuzz)`)

// tests runs each test alone to learn what it reaches, and returns them, the fastest first.
func (t *tester) tests() (all []*test) {
	var wait sync.WaitGroup
	var mu sync.Mutex
	for _, b := range t.binaries {
		list, _ := t.run(b, time.Minute, nil, "-test.list", isTest.String())
		for _, name := range strings.Fields(list) {
			if !isTest.MatchString(name) {
				continue
			}
			wait.Go(func() {
				x := t.reach(b, name)
				mu.Lock()
				defer mu.Unlock()
				if x != nil {
					all = append(all, x)
				}
			})
		}
	}
	wait.Wait()
	slices.SortFunc(all, func(a, b *test) int { return int(a.took - b.took) })
	return all
}

// reach runs a test, and returns nil if it fails without any mutant, or takes too long.
func (t *tester) reach(b binary, name string) *test {
	reached, err := os.CreateTemp("", "reached")
	must(err)
	must(reached.Close())
	defer func() { must(os.Remove(reached.Name())) }()
	out, took, err := t.timed(b, t.longest, []string{"MUTANTS_REACHED=" + reached.Name()}, "-test.run", "^"+name+"$")
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s fails without a mutant: %v\n%s\n", name, err, out)
		return nil
	}
	x := &test{b, name, took, map[int]bool{}}
	text, err := os.ReadFile(reached.Name())
	must(err)
	for _, word := range strings.Fields(string(text)) {
		id, err := strconv.Atoi(word)
		must(err)
		x.reaches[id] = true
	}
	return x
}

// judge runs the tests that reach a mutant, the fast ones in batches. One that does not end has noticed.
func (t *tester) judge(m *mutant, tests []*test) string {
	state := notCovered
	for _, b := range t.binaries {
		mine := slices.DeleteFunc(slices.Clone(tests), func(x *test) bool { return x.binary != b || !x.reaches[m.id] })
		for len(mine) > 0 {
			state = lived
			var names []string
			sum := time.Duration(0)
			for len(mine) > 0 && (sum == 0 || sum+mine[0].took < batch) {
				names, sum = append(names, mine[0].name), sum+mine[0].took
				mine = mine[1:]
			}
			pattern := "^(" + strings.Join(names, "|") + ")$"
			if _, err := t.run(b, 10*time.Second+10*sum, []string{"MUTANTS_ID=" + strconv.Itoa(m.id)}, "-test.run", pattern, "-test.failfast"); err != nil {
				return killed
			}
		}
	}
	return state
}

func (t *tester) run(b binary, limit time.Duration, env []string, args ...string) (string, error) {
	out, _, err := t.timed(b, limit, env, args...)
	return out, err
}

// timed says also how long it took, without the wait for others.
func (t *tester) timed(b binary, limit time.Duration, env []string, args ...string) (string, time.Duration, error) {
	t.free <- struct{}{}
	defer func() { <-t.free }()
	begin := time.Now()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, b.path, args...)
	cmd.Dir, cmd.Env, cmd.WaitDelay = b.dir, append(os.Environ(), env...), time.Second
	out, err := cmd.CombinedOutput()
	return string(out), time.Since(begin), err
}
