package main

import (
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
	notCovered = "NOT COVERED"
	// batch is how long the tests are together that run in one process.
	batch = 300 * time.Millisecond
)

// A test is one that passes without mutants.
type test struct {
	name    string
	took    time.Duration
	reaches map[int]bool
}

// A tester runs the tests of one binary, a few at a time.
type tester struct {
	bin, dir string
	free     chan struct{}
}

// judgeAll sets the state of every mutant.
func judgeAll(mutants []*mutant, bin, dir string) {
	t := &tester{bin, dir, make(chan struct{}, 2)}
	tests := t.tests()
	var wait sync.WaitGroup
	for _, m := range mutants {
		wait.Go(func() { m.state = t.judge(m, tests) })
	}
	wait.Wait()
}

var isTest = regexp.MustCompile(`^(Test|Example|Fuzz)`)

// tests runs each test alone to learn what it reaches, and returns them, the fastest first.
func (t *tester) tests() (all []*test) {
	list, _ := t.run(time.Minute, nil, "-test.list", isTest.String())
	var wait sync.WaitGroup
	var mu sync.Mutex
	for _, name := range strings.Fields(list) {
		if !isTest.MatchString(name) {
			continue
		}
		wait.Go(func() {
			x := t.reach(name)
			mu.Lock()
			defer mu.Unlock()
			if x != nil {
				all = append(all, x)
			}
		})
	}
	wait.Wait()
	slices.SortFunc(all, func(a, b *test) int { return int(a.took - b.took) })
	return all
}

// reach runs a test, and returns nil if it fails without any mutant.
func (t *tester) reach(name string) *test {
	reached, err := os.CreateTemp("", "reached")
	must(err)
	must(reached.Close())
	defer func() { must(os.Remove(reached.Name())) }()
	begin := time.Now()
	if out, err := t.run(10*time.Minute, []string{"MUTANTS_REACHED=" + reached.Name()}, "-test.run", "^"+name+"$"); err != nil {
		fmt.Fprintf(os.Stderr, "%s fails without a mutant: %v\n%s\n", name, err, out)
		return nil
	}
	x := &test{name, time.Since(begin), map[int]bool{}}
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
	mine := slices.DeleteFunc(slices.Clone(tests), func(x *test) bool { return !x.reaches[m.id] })
	if len(mine) == 0 {
		return notCovered
	}
	for len(mine) > 0 {
		var names []string
		sum := time.Duration(0)
		for len(mine) > 0 && (sum == 0 || sum+mine[0].took < batch) {
			names, sum = append(names, mine[0].name), sum+mine[0].took
			mine = mine[1:]
		}
		pattern := "^(" + strings.Join(names, "|") + ")$"
		if _, err := t.run(10*time.Second+10*sum, []string{"MUTANTS_ID=" + strconv.Itoa(m.id)}, "-test.run", pattern, "-test.failfast"); err != nil {
			return killed
		}
	}
	return lived
}

func (t *tester) run(limit time.Duration, env []string, args ...string) (string, error) {
	t.free <- struct{}{}
	defer func() { <-t.free }()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, t.bin, args...)
	cmd.Dir, cmd.Env, cmd.WaitDelay = t.dir, append(os.Environ(), env...), time.Second
	out, err := cmd.CombinedOutput()
	return string(out), err
}
