package stacks

import (
	"bytes"
	"fmt"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/go-qtests/qtests/qtests/internal/site"
)

// A Goroutine is one entry of a stack dump of the runtime.
type Goroutine struct {
	ID     uint64
	State  string // "chan receive", "sleep", "running", …
	Bubble uint64 // 0 outside every bubble
	Parent uint64 // who started it, 0 if that is not known
	// Durable is whether the bubble counts it as blocked, so that time may pass.
	Durable bool
	Stack   string // frames as the runtime prints them, without the header
	// Outermost is the function in which the goroutine began.
	Outermost string
}

// newGoroutine makes an entry of a dump from its header and what follows it.
func newGoroutine(h *Header, stack string) Goroutine {
	g := Goroutine{ID: h.ID, State: string(h.State), Bubble: h.Bubble, Durable: h.durable}
	if _, parent, ok := strings.Cut(stack, " in goroutine "); ok {
		parent, _, _ = strings.Cut(parent, "\n")
		g.Parent, _ = strconv.ParseUint(parent, 10, 64)
	}
	g.Outermost = outermost(stack)
	// The test's own goroutine ends in frames of ours and of the testing
	// package, which tell nobody anything.
	if i := strings.Index(stack, "\n"+GroundFloor+"(*bubbleRun).main"); i >= 0 {
		stack = stack[:i]
	}
	g.Stack = stack
	return g
}

// This returns the caller's own entry, without its stack.
func This() Goroutine {
	var short [256]byte
	buf := short[:runtime.Stack(short[:], false)]
	if bytes.IndexByte(buf, '\n') < 0 { // labels may be of any length
		buf = make([]byte, 64<<10)
		buf = buf[:runtime.Stack(buf, false)]
	}
	line, _, _ := bytes.Cut(buf, []byte("\n"))
	h, ok := parseHeader(line)
	if !ok {
		panic(Unreadable(line))
	}
	return newGoroutine(&h, "")
}

// InBubble reports whether the caller runs in a bubble of testing/synctest, where package
// time is fake.
func InBubble() bool {
	// The monotonic reading, which only a bubble's time lacks, costs 20 ns, and the
	// goroutine's own header a hundred times that. The proofs compare the two.
	return BubbleTime(time.Now())
}

// BubbleTime reports whether t, which package time has just read, is the time of a bubble.
func BubbleTime(t time.Time) bool { return t == t.Round(0) }

// Runs reports whether the goroutine uses a processor, or would if it had one.
func (g Goroutine) Runs() bool {
	switch g.State {
	case "running", "runnable", "preempted", "copystack", "force gc (idle)":
		return true
	}
	// A goroutine that helps the collector goes on when the collector does.
	return strings.HasPrefix(g.State, "GC ")
}

// StartedAt returns the line of the go statement that started g.
func (g Goroutine) StartedAt() string {
	_, created, ok := strings.Cut(g.Stack, "\ncreated by ")
	if !ok {
		return "an unknown line"
	}
	if _, position, ok := strings.Cut(created, "\n"); ok {
		return trimPosition(position)
	}
	return created
}

// Creator returns the function that started g, or "".
func (g Goroutine) Creator() string {
	_, created, _ := strings.Cut(g.Stack, "created by ")
	function, _, _ := strings.Cut(created, "\n")
	function, _, _ = strings.Cut(function, " in goroutine ")
	return function
}

// WaitsIn returns the innermost function of g outside of the standard library,
// or "".
func (g Goroutine) WaitsIn() string {
	frames, _, _ := strings.Cut(g.Stack, "created by ")
	var function string
	for line := range strings.Lines(frames) {
		if line = strings.TrimSuffix(line, "\n"); !strings.HasPrefix(line, "\t") {
			function = line
			if open := strings.LastIndexByte(function, '('); open > 0 {
				function = function[:open]
			}
		} else if !InStandardLibrary(function, line) {
			return function
		}
	}
	return ""
}

// outermost returns the function in which a goroutine with that stack began.
func outermost(stack string) (function string) {
	frames, _, _ := strings.Cut(stack, "created by ")
	for frames != "" && function == "" {
		frames = strings.TrimSuffix(frames, "\n")
		i := strings.LastIndexByte(frames, '\n') + 1
		if line := frames[i:]; line != "" && line[0] != '\t' && line[0] != '.' { // "...additional frames elided..."
			function = line
		}
		frames = frames[:i]
	}
	if open := strings.LastIndexByte(function, '('); open > 0 {
		function = function[:open]
	}
	return function
}

// Origin names the place that started g, for people: the line of the go
// statement and its function. Where that is in the standard library (a
// sync.WaitGroup's Go, a timer's function) it says nothing; then it is the
// outermost line of g outside of it and of the ground floor's own machinery.
func (g Goroutine) Origin() string {
	line, creator := g.StartedAt(), g.Creator()
	if !InStandardLibrary(creator, line) {
		return strings.TrimSpace(line + "  " + creator)
	}
	frames, _, _ := strings.Cut(g.Stack, "created by ")
	lines := strings.Split(frames, "\n")
	for i := len(lines) - 1; i > 0; i-- {
		position, function := lines[i], lines[i-1]
		if !strings.HasPrefix(position, "\t") || isMachinery(function) {
			continue
		}
		if !InStandardLibrary(function, position) {
			if open := strings.LastIndexByte(function, '('); open > 0 {
				function = function[:open]
			}
			return trimPosition(position) + "  " + function + ", started by " + creator
		}
	}
	return line + "  " + creator
}

// UserLine returns the innermost line of g outside the standard library and the
// methods of T.
func (g Goroutine) UserLine() string {
	var innermost, function string
	for line := range strings.SplitSeq(g.Stack, "\n") {
		if !strings.HasPrefix(line, "\t") {
			function = line
			continue
		}
		if innermost == "" {
			innermost = trimPosition(line)
		}
		if !InStandardLibrary(function, line) && !isMachinery(function) {
			return trimPosition(line)
		}
	}
	return innermost
}

// isMachinery reports whether a function is one of those through which the ground
// floor calls the user's.
func isMachinery(function string) bool {
	return strings.HasPrefix(function, GroundFloor+"(*T).") || strings.HasPrefix(function, house+"/internal/bubble.")
}

var reservationAwait = house + "/internal/bubble.Reservation.Await("

// Stands reports whether g waits for a Reservation: it holds nobody's work.
func (g Goroutine) Stands() bool { return strings.Contains(g.Stack, reservationAwait) }

// trimPosition reduces "\t/path/file.go:12 +0x4a" to "/path/file.go:12".
func trimPosition(line string) string {
	position, _, _ := strings.Cut(strings.TrimSpace(line), " ")
	return position
}

// InStandardLibrary reports whether the function, and the line of a stack that names its
// file, are of the standard library. Where a binary does not have the paths, little is.
func InStandardLibrary(function, line string) bool {
	return site.Standard(function, strings.TrimPrefix(line, "\t"))
}

// CallerOf returns the file and line skip frames above its caller's.
func CallerOf(skip int) string {
	_, file, line, ok := runtime.Caller(skip)
	if !ok {
		return "an unknown line"
	}
	return fmt.Sprintf("%s:%d", filepath.Base(file), line)
}
