package qtests

import (
	"fmt"
	"io"
	"os"
	"regexp"
	"runtime/pprof"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/go-qtests/qtests/qtests/internal/leftbehind"
	"github.com/go-qtests/qtests/qtests/internal/scope"
	"github.com/go-qtests/qtests/qtests/internal/stacks"
	"github.com/go-qtests/qtests/qtests/internal/tenancy"
	"github.com/go-qtests/qtests/qtests/tb"
)

// CheckLeaks fails t for every goroutine that t starts from here on and leaves
// behind when it has ended: when the cleanups registered after this call have
// run, and goroutines that are about to end have had about half a second to do
// so. Call it first.
//
// It is for parallel tests too: t answers only for what it started itself, and
// what those goroutines started, which is told from the profiler label
// "qtests.scope" that a goroutine inherits. A subtest with a CheckLeaks of its
// own answers for itself. A goroutine that leaves its labels (a timer's
// function, which the runtime starts, or one that calls pprof.Do with a context
// of other origin) belongs to no test; [VerifyTestMain] finds it at the end. The
// calling goroutine's own labels are replaced.
//
// The options are those of goleak and allow goroutines to stay;
// goleak.IgnoreCurrent is implied, and goleak.Cleanup is not accepted. Where the
// process has other goroutines beside, judging an allowed one takes half a
// second of goleak's retries.
//
// Inside a bubble it adds nothing to [Run], whose own check takes place in any
// case: it does nothing for the bubble's T, and fails if there are options,
// because a bubble ends only when all its goroutines have. In a bubble of
// testing/synctest it does what Run does. It never moves a bubble's clock.
//
// CheckLeaks is for the goroutine that runs the test.
func CheckLeaks(t tb.TB, opts ...goleak.Option) {
	t.Helper()
	if InBubble() {
		checkBubbleLeaks(t, opts)
		return
	}
	s := scope.Enter(t, scope.Check)
	t.Cleanup(func() {
		t.Helper()
		s.Leave(t)
		if note := leakProfileNote(); note != "" {
			t.Logf("%s", note)
		}
		if problem := leaksOf(s, opts); problem != "" {
			t.Errorf("%s", problem)
		}
	})
}

// checkBubbleLeaks is CheckLeaks inside a bubble.
func checkBubbleLeaks(t tb.TB, opts []goleak.Option) {
	t.Helper()
	if len(opts) > 0 {
		tb.Fatalf(t, "qtests: CheckLeaks with options inside a bubble: a bubble ends only when all its goroutines have ended, so none of them can be allowed to stay. End it in a Cleanup, or start it outside qtests.Run")
	}
	if _, ok := t.(*T); ok {
		return // Run checks
	}
	if problem := stacks.ProveBubble(); problem != "" {
		tb.Fatalf(t, "%s", problem)
	}
	home := tenancy.HomeHere()
	t.Cleanup(func() {
		t.Helper()
		if stacks.This().Bubble != home.Bubble() {
			return // t is the test outside, and the bubble has ended
		}
		synctest.Wait()
		this := stacks.This().ID // not always the one that called
		left := slices.DeleteFunc(home.Leftovers(), func(g stacks.Goroutine) bool { return g.ID == this })
		if len(left) > 0 {
			t.Errorf("%s", describeLeaks(t.Name(), left))
		}
	})
}

// leaksOf returns what to report when the test of s has ended, or "".
func leaksOf(s *scope.Scope, opts []goleak.Option) string {
	// Nearly every check ends here, some of them a moment later: a goroutine
	// still exists when those who wait for it know already that it is done.
	if settle(s, 0, settleBriefly) {
		return ""
	}
	crowded := inParallel()
	if (crowded || len(opts) == 0) && settle(s, settleBriefly, settleTries) {
		return ""
	}
	// goleak alone can apply its options. It looks at the whole process, and
	// retries until nothing is left or the retries are used up: so it comes first
	// only where what it finds is likely to be the test's own, and allowed.
	unexpected, err := goleakFind(opts)
	if err != nil {
		return fmt.Sprintf("qtests: CheckLeaks in %s: goleak: %v", s.Test, err)
	}
	leakProfile(!crowded && len(unexpected) > 0)
	left := slices.DeleteFunc(s.List(s.AnswersFor), func(g stacks.Goroutine) bool {
		return !unexpected[g.ID] || leftbehind.Test(g.Bubble) != ""
	})
	if len(left) == 0 {
		return ""
	}
	return describeLeaks(s.Test, left)
}

// As long as goleak waits: 20 times, from a microsecond doubling to 100 ms, less
// than half a second in all. The first 12 take 4 ms.
const (
	settleTries   = 20
	settleBriefly = 12
)

// settle makes some of the tries, until the scope is empty.
func settle(s *scope.Scope, from, to int) bool {
	for i := from; i < to; i++ {
		if s.Count(s.AnswersFor) == 0 {
			return true
		}
		time.Sleep(min(time.Microsecond<<i, 100*time.Millisecond))
	}
	return false
}

// foundByGoleak matches the heading of each goroutine in goleak's error.
var foundByGoleak = regexp.MustCompile(`Goroutine (\d+) in state `)

// goleakFind returns the ids of all goroutines of the process that goleak does
// not expect.
func goleakFind(opts []goleak.Option) (map[uint64]bool, error) {
	err := goleak.Find(opts...)
	if err == nil {
		return nil, nil
	}
	ids := idsIn(err.Error())
	if len(ids) == 0 {
		return nil, err
	}
	return ids, nil
}

// idsIn reads the goroutines of an error of goleak.
func idsIn(text string) map[uint64]bool {
	ids := map[uint64]bool{}
	for _, m := range foundByGoleak.FindAllStringSubmatch(text, -1) {
		id, _ := strconv.ParseUint(m[1], 10, 64)
		ids[id] = true
	}
	return ids
}

// describeLeaks prints goroutines that test, or "" for the whole binary, left
// behind.
func describeLeaks(test string, left []stacks.Goroutine) string {
	slices.SortFunc(left, func(a, b stacks.Goroutine) int { return int(a.ID) - int(b.ID) })
	heading := fmt.Sprintf("qtests: %s left %s behind. End what the test starts before it returns, or in a Cleanup; allow what may stay with an option of goleak.%s\n\n",
		test, stacks.Count(len(left)), leakHint(left))
	if test == "" {
		heading = fmt.Sprintf("qtests: the tests passed and left %s behind. qtests.CheckLeaks(t) tells which test it was.\n\n", stacks.Count(len(left)))
	}
	for i := range left {
		left[i].State = strings.Replace(left[i].State, " (leaked)", ", for ever: the collector proves that nothing can wake it", 1)
	}
	return heading + stacks.DescribeAlike(left, func(g stacks.Goroutine) string {
		return ", started at " + g.Origin() + stacks.BehindLibrary(g, left, 0, test)
	})
}

// leakProfile has the collector look for goroutines that nothing can ever wake,
// where the binary was built to; dumps then say "(leaked)" behind their state.
// It must not run while a bubble does: for the bubble a goroutine found that way
// counts as running, and its time stops for good. A test that has no parallel
// neighbour, and is not in a bubble itself, is alone.
func leakProfile(alone bool) {
	if p := pprof.Lookup("goroutineleak"); p != nil && alone && !anyBubble() {
		_ = p.WriteTo(io.Discard, 1)
	}
}

// anyBubble reports whether a goroutine of any bubble is left, abandoned ones
// included.
func anyBubble() bool {
	found := false
	stacks.Where(stacks.Dump(), func(h *stacks.Header) bool {
		found = found || h.Bubble != 0
		return false
	})
	return found
}

// leakProfileNoted is whether the process has said that it lacks the profile.
var leakProfileNoted sync.Once

// leakProfileNote returns, once in a process that lacks the profile, a sentence
// that says so.
func leakProfileNote() (note string) {
	if pprof.Lookup("goroutineleak") != nil {
		return ""
	}
	leakProfileNoted.Do(func() {
		note = "qtests: this binary has no goroutineleak profile, so leaks are what still runs, not what the collector proves can never go on. GOEXPERIMENT=goroutineleakprofile go test adds the proof."
	})
	return note
}

// VerifyTestMain runs the tests of a package and then fails it for every
// goroutine that is left, as goleak.VerifyTestMain does and with its options; it
// does not return. A failed run is not checked. Use it as the body of TestMain:
//
//	func TestMain(m *testing.M) { qtests.VerifyTestMain(m) }
//
// Bubbles that [Run] had to leave behind because they stand still are named
// once, and their goroutines are no leaks, nor are those that [Allow] lets stay. With
// go1.27, and where go1.26 has built the binary with
// GOEXPERIMENT=goroutineleakprofile, the report says which goroutines the
// collector proves can never go on; otherwise it says that it does not know.
func VerifyTestMain(m goleak.TestingM, opts ...goleak.Option) {
	code := m.Run()
	cleanups, filters := splitCleanups(opts)
	fmt.Fprint(os.Stderr, leftbehind.Describe())
	if code == 0 {
		if problem := processLeaks(filters); problem != "" {
			fmt.Fprintln(os.Stderr, problem)
			if note := leakProfileNote(); note != "" {
				fmt.Fprintln(os.Stderr, note)
			}
			code = 1
		}
	}
	// What is left has been judged. goleak ends the process, or lets the Cleanup
	// that somebody passed do it.
	goleak.VerifyTestMain(exitCode(code), append(cleanups, goleak.IgnoreCurrent())...)
}

// processLeaks returns what to report when all tests have passed, or "".
func processLeaks(filters []goleak.Option) string {
	unexpected, err := goleakFind(filters)
	if err != nil {
		return fmt.Sprintf("qtests: goleak: %v", err)
	}
	if len(unexpected) == 0 {
		return ""
	}
	leakProfile(true)
	var left []stacks.Goroutine
	for _, g := range stacks.Where(stacks.Dump(), stacks.Every) {
		if unexpected[g.ID] && leftbehind.Test(g.Bubble) == "" {
			left = append(left, g)
		}
	}
	if len(left) == 0 {
		return ""
	}
	return describeLeaks("", left)
}

// exitCode is a run of tests that has ended.
type exitCode int

func (c exitCode) Run() int { return int(c) }

// splitCleanups tells the options that goleak.Cleanup made from the others.
// goleak does not show what an option is; but Find refuses a Cleanup.
func splitCleanups(opts []goleak.Option) (cleanups, filters []goleak.Option) {
	for _, o := range opts {
		err := goleak.Find(goleak.IgnoreCurrent(), o)
		if err != nil && strings.HasPrefix(err.Error(), "Cleanup can only be passed") {
			cleanups = append(cleanups, o)
		} else {
			filters = append(filters, o)
		}
	}
	return cleanups, filters
}
