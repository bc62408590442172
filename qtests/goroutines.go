package qtests

import (
	"bytes"
	"fmt"
	"path/filepath"
	"reflect"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

// A goroutine is one entry of a stack dump of the runtime.
type goroutine struct {
	id     uint64
	state  string // "chan receive", "sleep", "running", …
	bubble uint64 // 0 outside every bubble
	parent uint64 // who started it, 0 if that is not known
	// durable is whether the bubble counts it as blocked, so that time may pass.
	durable bool
	stack   string // frames as the runtime prints them, without the header
}

// "goroutine 7 [chan receive (durable), 3 minutes, synctest bubble 2]:"
var (
	goroutineHeader = regexp.MustCompile(`^goroutine (\d+)[^\[]*\[([^\]]*)\]:$`)
	bubbleField     = regexp.MustCompile(`^synctest bubble (\d+)`)
)

// parseGoroutines reads what runtime.Stack wrote. What does not look like a
// goroutine is passed over.
func parseGoroutines(dump []byte) []goroutine {
	var all []goroutine
	for block := range bytes.SplitSeq(bytes.TrimSpace(dump), []byte("\n\n")) {
		header, stack, _ := strings.Cut(string(block), "\n")
		m := goroutineHeader.FindStringSubmatch(header)
		if m == nil {
			continue
		}
		g := goroutine{}
		if _, parent, ok := strings.Cut(stack, " in goroutine "); ok {
			parent, _, _ = strings.Cut(parent, "\n")
			g.parent, _ = strconv.ParseUint(parent, 10, 64)
		}
		// The test's own goroutine ends in frames of ours and of the testing
		// package, which tell nobody anything.
		if i := strings.Index(stack, "\n"+groundFloor+"(*bubbleRun).main"); i >= 0 {
			stack = stack[:i]
		}
		g.stack = stack
		g.id, _ = strconv.ParseUint(m[1], 10, 64)
		for i, f := range strings.Split(m[2], ", ") {
			if b := bubbleField.FindStringSubmatch(f); b != nil {
				g.bubble, _ = strconv.ParseUint(b[1], 10, 64)
			} else if i == 0 {
				g.state, g.durable = strings.CutSuffix(f, " (durable)")
			}
		}
		all = append(all, g)
	}
	return all
}

// thisGoroutine returns the caller's own entry.
func thisGoroutine() goroutine {
	buf := make([]byte, 4<<10)
	buf = buf[:runtime.Stack(buf, false)]
	if all := parseGoroutines(buf); len(all) == 1 {
		return all[0]
	}
	panic("qtests: the runtime's stack dump has a form that this version of qtests does not read:\n" + string(buf))
}

// InBubble reports whether the caller runs in a bubble of testing/synctest, that
// of [Run] or another one, where package time is fake.
func InBubble() bool { return thisGoroutine().bubble != 0 }

// A bubbleHome tells the goroutines that a bubble consists of before its body
// starts, the runtime's and the testing package's, from those that come later.
type bubbleHome struct {
	bubble uint64
	body   uint64   // the goroutine that runs the body
	own    []uint64 // body among them
}

// thisBubble describes the calling goroutine's bubble as it is now: what comes
// later is not its own.
func thisBubble() bubbleHome {
	this := thisGoroutine()
	h := bubbleHome{bubble: this.bubble, body: this.id}
	for _, g := range bubbleGoroutines(this.bubble) {
		h.own = append(h.own, g.id)
	}
	return h
}

// freshBubble is thisBubble for the goroutine that is about to run the body, at a
// fraction of the cost of a look at all goroutines of the process. The testing package started it from the bubble's first goroutine, and that was
// started from root, whom the bubble counts as well.
func freshBubble(root uint64) bubbleHome {
	this := thisGoroutine()
	return bubbleHome{bubble: this.bubble, body: this.id, own: []uint64{root, this.parent, this.id}}
}

// leftovers returns the bubble's goroutines that are not its own, by id, the
// order in which they were started.
func (h bubbleHome) leftovers() []goroutine {
	return h.list(func(id uint64) bool { return !slices.Contains(h.own, id) })
}

// stuck returns the bubble's goroutines with the one that runs the body.
func (h bubbleHome) stuck() []goroutine {
	return h.list(func(id uint64) bool { return id == h.body || !slices.Contains(h.own, id) })
}

func (h bubbleHome) list(wanted func(id uint64) bool) []goroutine {
	var left []goroutine
	for _, g := range bubbleGoroutines(h.bubble) {
		if wanted(g.id) {
			left = append(left, g)
		}
	}
	slices.SortFunc(left, func(a, b goroutine) int { return int(a.id) - int(b.id) })
	return left
}

// wholeStacks is how many goroutines a failure message prints.
const wholeStacks = 20

// formatGoroutines prints goroutines for a failure message.
func formatGoroutines(list []goroutine) string {
	var b strings.Builder
	for i, g := range list {
		if i == wholeStacks {
			fmt.Fprintf(&b, "… and %d more\n", len(list)-i)
			break
		}
		fmt.Fprintf(&b, "goroutine %d [%s]:\n%s\n\n", g.id, g.state, g.stack)
	}
	return strings.TrimRight(b.String(), "\n")
}

// runs reports whether the goroutine uses a processor, or would if it had one.
func (g goroutine) runs() bool {
	switch g.state {
	case "running", "runnable", "preempted", "copystack", "force gc (idle)":
		return true
	}
	// Whoever helps the collector goes on when the collector does.
	return strings.HasPrefix(g.state, "GC ")
}

// isHost reports whether g is the goroutine that started the bubble and waits
// for its end.
func isHost(g goroutine) bool { return strings.HasPrefix(g.state, "synctest.Run") }

// startedAt returns the line of the go statement that started g.
func (g goroutine) startedAt() string {
	_, created, ok := strings.Cut(g.stack, "\ncreated by ")
	if !ok {
		return "an unknown line"
	}
	if _, position, ok := strings.Cut(created, "\n"); ok {
		return trimPosition(position)
	}
	return created
}

// userLine returns the innermost line of g outside the standard library and the
// methods of T.
func (g goroutine) userLine() string {
	var innermost, function string
	for line := range strings.SplitSeq(g.stack, "\n") {
		if !strings.HasPrefix(line, "\t") {
			function = line
			continue
		}
		if innermost == "" {
			innermost = trimPosition(line)
		}
		library := standardLibrary == "" || strings.HasPrefix(line, "\t"+standardLibrary)
		if !library && !isMachinery(function) {
			return trimPosition(line)
		}
	}
	return innermost
}

// isMachinery reports whether a function is one of those through which the ground
// floor calls the user's.
func isMachinery(function string) bool {
	name, ok := strings.CutPrefix(function, groundFloor)
	return ok && (strings.HasPrefix(name, "(*T).") || strings.HasPrefix(name, "(*tieFree).") ||
		strings.HasPrefix(name, "afterFunc.") || strings.HasPrefix(name, "InTurn.") || strings.HasPrefix(name, "Reservation."))
}

var reservationSleep = groundFloor + "Reservation.Sleep("

// stands reports whether g waits for a [Reservation]: it holds nobody's work.
func (g goroutine) stands() bool { return strings.Contains(g.stack, reservationSleep) }

// trimPosition reduces "\t/path/file.go:12 +0x4a" to "/path/file.go:12".
func trimPosition(line string) string {
	position, _, _ := strings.Cut(strings.TrimSpace(line), " ")
	return position
}

// standardLibrary begins the file names of the standard library in stacks.
var standardLibrary = func() string {
	f := runtime.FuncForPC(reflect.ValueOf(strings.Clone).Pointer())
	file, _ := f.FileLine(f.Entry())
	return strings.TrimSuffix(file, "strings/clone.go")
}()

// callerOf returns the file and line skip frames above its caller's.
func callerOf(skip int) string {
	_, file, line, ok := runtime.Caller(skip)
	if !ok {
		return "an unknown line"
	}
	return fmt.Sprintf("%s:%d", filepath.Base(file), line)
}
