package stacks

import (
	"bytes"
	"strconv"
)

// ScopeLabel is the profiler label that tells the goroutines of one test from
// those of its neighbours. A goroutine inherits the labels of the one that
// started it. Its value is a path, "/b1/c2": every call that needs to know its
// goroutines goes one step down.
const ScopeLabel = "qtests.scope"

// Profiled is one record of the goroutine profile: n goroutines that stand at
// the same place and have the same labels.
type Profiled struct {
	N     int
	Scope string
	Root  string // the outermost function
}

// EachProfiled reads the text form of the goroutine profile:
//
//	2 @ 0x4448f1 0x482fdd
//	# labels: {"qtests.scope":"/c1"}
//	#	0x534bf8	example.com/shop.worker+0x18	/shop/worker.go:6
//
// What does not look like a record is passed over.
func EachProfiled(profile []byte, f func(Profiled)) {
	var r Profiled
	var root []byte // made a string once for a record, not for each of its frames
	flush := func() {
		if r.N > 0 {
			r.Root = string(root)
			f(r)
		}
		r, root = Profiled{}, nil
	}
	for line := range bytes.Lines(profile) {
		line = bytes.TrimRight(line, "\n")
		if count, _, ok := bytes.Cut(line, []byte(" @")); ok && len(count) > 0 && count[0] >= '1' && count[0] <= '9' {
			flush()
			r.N, _ = strconv.Atoi(string(count))
		} else if labels, ok := bytes.CutPrefix(line, []byte("# labels: {")); ok {
			r.Scope = labelIn(labels, ScopeLabel)
		} else if function := functionOf(line); len(function) > 0 {
			root = function
		}
	}
	flush()
}

// functionOf returns the function in the line of a frame, whose fields are apart by
// one tab or more, and nothing where there is none.
func functionOf(line []byte) []byte {
	frame, ok := bytes.CutPrefix(line, []byte("#\t"))
	if !ok {
		return nil
	}
	_, rest, _ := bytes.Cut(frame, []byte("\t")) // the address
	function, _, _ := bytes.Cut(bytes.TrimLeft(rest, "\t"), []byte("\t"))
	if i := bytes.LastIndex(function, []byte("+0x")); i >= 0 {
		function = function[:i]
	}
	return function
}
