// Package ctrlc is the interrupts of tests: those that they send, and those that the processes which they start are to heed.
package ctrlc

import (
	"os"
	"os/signal"
	"slices"
	"syscall"
	"testing"
)

// Press sends this process what Ctrl-C sends.
func Press() error {
	self, err := os.FindProcess(os.Getpid())
	if err != nil {
		return err
	}
	return self.Signal(os.Interrupt)
}

// ignored are the signals that this process was started to ignore. It is asked at the start: package signal forgets it
// once somebody has asked for the signal and stopped, although the signal is ignored again.
var ignored = slices.DeleteFunc([]os.Signal{os.Interrupt, syscall.SIGHUP}, func(s os.Signal) bool { return !signal.Ignored(s) })

// Heeded makes the processes that t starts heed Ctrl-C and SIGHUP, also where this process was itself started to ignore
// them, as by nohup or by a script's "&": what a process ignores, those that it starts ignore, too, unless it asks for the
// signal. Where nothing is ignored, Heeded does nothing, so that Ctrl-C still ends the tests.
func Heeded(t testing.TB) {
	asked := make(chan os.Signal, 1)
	for _, s := range ignored {
		signal.Notify(asked, s)
	}
	t.Cleanup(func() { signal.Stop(asked) })
}
