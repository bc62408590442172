//go:build unix

package compare

import (
	"syscall"
	"time"
)

// ProcessorTime is what this process has used so far, of all processors together.
func ProcessorTime() (time.Duration, bool) {
	var use syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &use); err != nil {
		return 0, false
	}
	return time.Duration(use.Utime.Nano() + use.Stime.Nano()), true
}
