package stacks

import (
	"bytes"
	"os"
	"runtime"
	"strings"
	"sync"
)

// Dump returns the runtime's dump of all goroutines. A dump that does not
// fit costs as much as one that does, so the first buffer is sized to do.
func Dump() []byte {
	for size := 64<<10 + 1<<10*runtime.NumGoroutine(); ; size *= 2 {
		buf := make([]byte, size)
		if n := runtime.Stack(buf, true); n < len(buf) {
			return buf[:n]
		}
	}
}

// Where reads those entries of a dump whose header keep accepts. To
// read them all would cost several times what the dump itself does. What does
// not look like a goroutine is passed over: that the runtime's own dumps do is
// for proveStacks to see.
func Where(dump []byte, keep func(h *Header) bool) []Goroutine {
	var all []Goroutine
	for more := true; more; {
		var entry []byte
		entry, dump, more = bytes.Cut(dump, []byte("\n\n"))
		header, stack, _ := bytes.Cut(bytes.TrimSpace(entry), []byte("\n"))
		if h, ok := parseHeader(header); ok && keep(&h) {
			all = append(all, newGoroutine(&h, string(stack)))
		}
	}
	return all
}

// Every keeps all goroutines of a dump.
func Every(*Header) bool { return true }

// OfBubble returns the goroutines of one bubble.
func OfBubble(bubble uint64) []Goroutine {
	return Where(Dump(), func(h *Header) bool { return h.Bubble == bubble })
}

// tracebackLabels is held while headers show labels.
var tracebackLabels sync.Mutex

// LabelledDump is Dump with the profiler labels in the headers. The runtime
// prints them only on a setting that belongs to the whole process, and that is
// why this is kept for tests that have failed already.
func LabelledDump() []byte {
	tracebackLabels.Lock()
	defer tracebackLabels.Unlock()
	const name = "GODEBUG"
	before, was := os.LookupEnv(name)
	with := strings.TrimPrefix(before+",tracebacklabels=1", ",")
	if os.Setenv(name, with) != nil {
		return nil
	}
	defer func() {
		switch now := os.Getenv(name); {
		case now != with: // somebody else has set it meanwhile
		case was:
			_ = os.Setenv(name, before)
		default:
			_ = os.Unsetenv(name)
		}
	}()
	return Dump()
}
