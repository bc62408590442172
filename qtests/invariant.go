package qtests

import (
	"fmt"
	"time"

	"github.com/go-qtests/qtests/qtests/tb"
)

// An invariant is what T.Always holds a run to.
type invariant struct {
	name  string
	check func() error
}

// Always fails the test as soon as check returns an error, which begins with name then.
//
// On the ordered runtime it is called at every point of a test that was built with points (go tool
// qtests find, and test -points): before each use of what goroutines may share, between two
// steps of any goroutine. Everywhere it is called when the test pauses in [T.Sleep] and
// [T.Wait], and when the body and its cleanups have ended.
//
// check runs on whatever goroutine is at that point, which may hold any lock: it must read, and
// never lock, wait, send or receive. Under -race it is not called at points, because it
// reads without locks. It is called once when it is registered.
func (q *T) Always(name string, check func() error) {
	q.concludeLast()
	q.always = append(q.always, invariant{name, check})
	q.checkAlways()
	q.run.config.explore.Check(q.checkAlways)
}

// checkAlways checks all that must hold. What did not hold is not looked at again.
func (q *T) checkAlways() {
	for i := range q.always {
		c := &q.always[i]
		if c.check == nil {
			continue
		}
		var err error
		q.run.config.explore.Still(func() { err = q.tryInvariant(c.check) })
		if err != nil {
			c.check = nil
			text := fmt.Sprintf("%s: %v", c.name, err)
			q.failed("invariant", text)
			q.Errorf("qtests: %s, at %v", text, q.Elapsed())
		}
	}
}

// tryInvariant turns a panic of check into an error.
func (q *T) tryInvariant(check func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v", r)
		}
	}()
	return check()
}

// Eventually waits until cond is true, and fails the test when it is not within that time
// of the bubble. It looks now, and each time that everything has come to rest: after a
// thousandth of within, again and again.
func (q *T) Eventually(name string, within time.Duration, cond func() bool) {
	q.Helper()
	if within <= 0 {
		tb.Fatalf(q, "qtests: Eventually(%q): within is %v, and must be positive", name, within)
	}
	step := max(within/1000, 1)
	for end := q.Elapsed() + within; ; q.Sleep(min(step, end-q.Elapsed())) {
		q.Wait()
		if cond() {
			return
		}
		if q.Elapsed() >= end {
			tb.Fatalf(q, "qtests: %s: not within %v", name, within)
		}
	}
}

// Sometimes tells a search that cond was looked at, and whether it was true. go tool
// qtests find fails when it was true in none of its runs: what the test is about never
// happened. Elsewhere it does nothing.
func (q *T) Sometimes(name string, cond bool) {
	if !q.quiet() {
		return
	}
	q.sometimes.Do(func(told *map[string]bool) {
		if *told == nil {
			*told = map[string]bool{}
		}
		(*told)[name] = (*told)[name] || cond
	})
}
