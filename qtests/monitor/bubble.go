package monitor

import (
	"bytes"
	"runtime"
)

// inBubble reports whether the calling goroutine is in a bubble of testing/synctest,
// which only the header of its stack says.
func inBubble() bool {
	var buf [128]byte
	header, _, _ := bytes.Cut(buf[:runtime.Stack(buf[:], false)], []byte("\n"))
	return bytes.Contains(header, []byte("synctest bubble"))
}
