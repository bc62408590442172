// Package story makes the account of a run that failed: which goroutine did what, at which
// line, in which order, what held it up, and what another one did meanwhile. It makes it from
// the steps that the ordered runtime has kept, as text of at most 30 lines and as a page with
// a lane for each goroutine.
package story

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-qtests/qtests/qtests/internal/explore"
	"github.com/go-qtests/qtests/qtests/internal/inputs"
	"github.com/go-qtests/qtests/qtests/internal/ordered"
	"github.com/go-qtests/qtests/qtests/internal/site"
)

// MostLines is how long an account is, in lines of text.
const MostLines = 30

// A Story is the account of a run.
type Story struct {
	Test    string
	Failure *explore.Failure
	Lanes   []Lane
	Lines   []Line   // in their order
	Left    int      // steps that are left out
	With    []string // load that was cut
	Cycle   []string // of a deadlock: who waits for which lock, and who holds it
	Ends    []string // of a deadlock: what the others wait for, and what they hold
}

// A Lane is a goroutine.
type Lane struct {
	Name string // G1 is the first that did something
	Who  string // who started it, and where
}

// A Line is what a goroutine did, or a fault that happened.
type Line struct {
	Lane     int // or Fault
	Text     string
	Where    string // file:line
	Surprise bool   // first come, first served would have gone on otherwise
	At       time.Duration
	Left     int    // steps that are left out before it
	Wakes    int    // the lane that it made able to run, from 1; 0 for none
	Holds    string // the lock that it takes
	Frees    string // the lock that it gives back

	score  int
	step   int
	object uint64
}

// Fault is the lane of what happened to all of them.
const Fault = -1

// Tell makes the account of a run with these inputs, which may be nil. source returns a line of a
// file, or "".
func Tell(test string, f *explore.Failure, steps []ordered.Step, in *inputs.Inputs, source func(file string, line int) string) *Story {
	t := &teller{
		story: &Story{Test: test, Failure: f}, steps: steps, source: source,
		lanes: map[uint64]int{}, names: map[uint64]string{}, users: map[uint64]map[uint64]bool{}, writes: map[uint64]bool{},
		holders: map[uint64][]hold{}, numbers: map[uint64]int{}, key: map[uint64]bool{}, waits: map[uint64]wait{},
	}
	t.survey()
	for i := range steps {
		t.step(i)
	}
	t.ending()
	t.choose(in)
	return t.story
}

// A teller reads the steps.
type teller struct {
	story   *Story
	steps   []ordered.Step
	source  func(file string, line int) string
	lanes   map[uint64]int             // goroutines, from 1
	names   map[uint64]string          // objects
	users   map[uint64]map[uint64]bool // of objects
	writes  map[uint64]bool            // objects that somebody changes
	key     map[uint64]bool            // objects at which a goroutine was held, or waits for ever
	holders map[uint64][]hold          // locks; several of one that is locked to read
	numbers map[uint64]int             // of objects whose names others have, too, from 1
	waits   map[uint64]wait            // of goroutines
	lines   []Line
}

type hold struct {
	by    uint64
	where string
}

type wait struct {
	object uint64
	op     site.Op
	text   string
	where  string
}

// locks reports whether it is a lock that is waited for.
func (w wait) locks() bool { return w.op == site.Lock || w.op == site.RLock }

// survey finds the goroutines that matter, and who uses what.
func (t *teller) survey() {
	for i := range t.steps {
		s := &t.steps[i]
		if !atPoint(s) {
			continue
		}
		if t.lanes[s.Goroutine] == 0 {
			t.lanes[s.Goroutine] = len(t.lanes) + 1
		}
		if s.Object != 0 {
			t.uses(s)
		}
	}
	t.number()
	t.introduce()
}

// atPoint reports whether the goroutine is about to do what the site of the step says.
func atPoint(s *ordered.Step) bool {
	return s.Kind == ordered.StepPoint || s.Kind == ordered.StepHeld
}

// uses takes note of who uses the object of a step, and how.
func (t *teller) uses(s *ordered.Step) {
	if t.users[s.Object] == nil {
		t.users[s.Object] = map[uint64]bool{}
	}
	t.users[s.Object][s.Goroutine] = true
	t.writes[s.Object] = t.writes[s.Object] || !readsOnly(s.Site)
	if s.Kind == ordered.StepHeld {
		t.key[s.Object] = true
	}
}

// introduce names the goroutines, and says who started each.
func (t *teller) introduce() {
	t.story.Lanes = make([]Lane, len(t.lanes))
	for _, n := range t.lanes {
		t.story.Lanes[n-1] = Lane{Name: fmt.Sprintf("G%d", n)}
	}
	for i := range t.steps {
		if s := &t.steps[i]; t.lanes[s.Other] > 0 && s.Kind == ordered.StepStarts {
			t.story.Lanes[t.lanes[s.Other]-1].Who = t.startedBy(s)
		}
	}
	who := "the test" // is the first that nobody started
	for i := range t.story.Lanes {
		if l := &t.story.Lanes[i]; l.Who == "" {
			l.Who, who = who, "started before"
		}
	}
}

// number gives numbers to objects that several goroutines use and that have one name, such as the
// parameter of a function.
func (t *teller) number() {
	named := map[string][]uint64{}
	for i := range t.steps {
		s := &t.steps[i]
		if len(t.users[s.Object]) < 2 { // only points have objects
			continue
		}
		name := t.inSource(s, userFrame(s.Stack))
		if name != "" && !slices.Contains(named[name], s.Object) {
			named[name] = append(named[name], s.Object)
		}
		if len(named[name]) > 1 {
			t.numberAll(named[name])
		}
	}
}

func (t *teller) numberAll(objects []uint64) {
	for _, o := range objects {
		if t.numbers[o] == 0 {
			t.numbers[o] = len(t.numbers) + 1
		}
	}
}

// startedBy says who started a goroutine, and where, or what it does where that is not in the
// user's code.
func (t *teller) startedBy(s *ordered.Step) string {
	where := whereOf(userFrame(s.Stack))
	switch {
	case where == "" && s.Starts != "":
		name, _, _ := strings.Cut(s.Starts[strings.LastIndexByte(s.Starts, '/')+1:], ".gowrap") // of a go statement with arguments
		return "runs " + name
	case where == "":
		return "started by " + t.name(s.Goroutine)
	case t.lanes[s.Goroutine] == 0:
		return "started at " + where
	}
	return fmt.Sprintf("started by %s at %s", t.name(s.Goroutine), where)
}

func readsOnly(s site.Site) bool {
	switch s.Op() {
	case site.MapRead, site.Read, site.Len, site.Load, site.RLock, site.RUnlock:
		return true
	}
	return false
}

// name returns the name of a goroutine.
func (t *teller) name(g uint64) string {
	switch n := t.lanes[g]; {
	case n > 0:
		return t.story.Lanes[n-1].Name
	case g == 0:
		return "a timer"
	}
	return "another goroutine"
}

// step tells of step i: a step that makes no text makes no line.
func (t *teller) step(i int) {
	s := &t.steps[i]
	lane := t.lanes[s.Goroutine]
	if lane == 0 {
		return
	}
	frame := userFrame(s.Stack)
	line := Line{Lane: lane - 1, Where: whereOf(frame), At: s.At, step: i, object: s.Object}
	switch other := t.lanes[s.Other]; {
	case s.Kind == ordered.StepPoint:
		t.point(&line, s, frame, i)
	case s.Kind == ordered.StepHeld:
		line.Text, line.Surprise, line.score = "is held before it "+t.what(s, frame, false), true, 100
	case s.Kind == ordered.StepAhead && other > 0:
		line.Text, line.Surprise, line.score = "runs ahead of "+t.name(s.Other)+", which has waited longer", true, 90
	case s.Kind == ordered.StepStarts && other > 0:
		line.Text, line.Wakes, line.score = "starts "+t.name(s.Other), other, 40
	case s.Kind == ordered.StepWakes:
		t.wake(s)
	case s.Kind == ordered.StepWaits:
		t.blocks(&line, s)
	}
	if line.Text != "" {
		t.lines = append(t.lines, line)
	}
}

// point is a step at which the goroutine does what the site says.
func (t *teller) point(line *Line, s *ordered.Step, frame *ordered.Frame, i int) {
	delete(t.waits, s.Goroutine)
	line.Text, line.score = t.what(s, frame, true), t.weight(s.Object)
	if before := t.before(i); before != nil && before.Kind == ordered.StepHeld {
		line.Text, line.score = "goes on: "+line.Text, 95
	}
	waits := t.waitsAfter(i)
	if waits {
		t.waitsToDo(line, s, frame)
	}
	switch s.Site.Op() {
	case site.Lock, site.RLock, site.TryLock:
		if !waits {
			t.holders[s.Object] = append(t.holders[s.Object], hold{s.Goroutine, line.Where})
		}
		line.Holds = t.names[s.Object]
	case site.Unlock, site.RUnlock:
		t.gives(s.Goroutine, s.Object)
		line.Frees = t.names[s.Object]
	}
}

// weight is the score of a line about an object.
func (t *teller) weight(object uint64) int {
	switch {
	case t.key[object]:
		return 80
	case len(t.users[object]) > 1 && t.writes[object]:
		return 30
	}
	return 2
}

// before returns the step that the goroutine of step i did last, or nil.
func (t *teller) before(i int) *ordered.Step {
	for k := range slices.Backward(t.steps[:i]) {
		if t.steps[k].Goroutine == t.steps[i].Goroutine {
			return &t.steps[k]
		}
	}
	return nil
}

// waitsAfter reports whether the goroutine of step i has to wait for what it does there.
func (t *teller) waitsAfter(i int) bool {
	at, later := &t.steps[i], t.steps[i+1:]
	for k := range later {
		if s := &later[k]; s.Goroutine == at.Goroutine && s.Kind != ordered.StepAhead {
			return s.Kind == ordered.StepWaits && mayWait(at.Site.Op())
		}
	}
	return false
}

// waitsToDo is a point at which the goroutine has to wait.
func (t *teller) waitsToDo(line *Line, s *ordered.Step, frame *ordered.Frame) {
	w := wait{object: s.Object, op: s.Site.Op(), text: waiting(t.what(s, frame, false)), where: line.Where}
	t.waits[s.Goroutine] = w
	line.Text = w.text
	if _, why := t.blocker(s.Goroutine); why != "" {
		line.Text += ", " + why
	}
	line.score += 10
}

// blocks is a wait. Its line is left out where the line of its point is there, and where no
// code of the user's waits.
func (t *teller) blocks(line *Line, s *ordered.Step) {
	if w, ok := t.waits[s.Goroutine]; ok && w.where == line.Where {
		return
	}
	in := "waits in " + waitsIn(s.Stack)
	t.waits[s.Goroutine] = wait{text: in, where: line.Where}
	if line.Where != "" {
		line.Text, line.score = in, 15
	}
}

// wake gives a lock to the goroutine that has waited for it, and draws an arrow from what
// woke it.
func (t *teller) wake(s *ordered.Step) {
	w, ok := t.waits[s.Other]
	if !ok {
		return
	}
	delete(t.waits, s.Other)
	if w.locks() && (len(t.holders[w.object]) == 0 || w.op == site.RLock) {
		t.holders[w.object] = append(t.holders[w.object], hold{s.Other, w.where})
	}
	t.arrow(s)
}

// mostBefore is how many lines before a wake-up, of all goroutines, may say what woke it.
const mostBefore = 4

// arrow says which line woke a goroutine, where it is one of the latest.
func (t *teller) arrow(s *ordered.Step) {
	latest := t.lines[max(0, len(t.lines)-mostBefore):]
	for k := range slices.Backward(latest) {
		if l := &latest[k]; l.Lane == t.lanes[s.Goroutine]-1 && l.Wakes == 0 {
			l.Wakes = t.lanes[s.Other]
			l.Text += ", which wakes " + t.name(s.Other)
			l.score += 15
			return
		}
	}
}

// ending says what the goroutines that never go on wait for, and in which circle.
func (t *teller) ending() {
	for g, w := range t.waits {
		if l := t.lastOf(t.lanes[g] - 1); l != nil && l.Where == w.where {
			l.score = 97
		}
		if w.object != 0 {
			t.key[w.object] = true
		}
	}
	for i := range t.lines {
		if l := &t.lines[i]; t.key[l.object] {
			l.score = max(l.score, 70)
		}
	}
	t.cycle()
}

// lastOf is the last line of a lane, or nil.
func (t *teller) lastOf(lane int) *Line {
	for i := range slices.Backward(t.lines) {
		if t.lines[i].Lane == lane {
			return &t.lines[i]
		}
	}
	return nil
}

// order lists the goroutines by their lanes.
func (t *teller) order() []uint64 {
	all := make([]uint64, len(t.lanes))
	for g, n := range t.lanes {
		all[n-1] = g
	}
	return all
}
