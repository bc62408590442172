package main

import (
	"context"
	"os"
	"os/exec"
	"os/signal"
	"time"
)

// untilSignal is a context that the first signal of those that end a program cancels.
func untilSignal() (context.Context, context.CancelFunc) {
	heeded := heeded()
	if len(heeded) == 0 { // for signal.Notify that would be every signal there is
		return context.WithCancel(context.Background())
	}
	return signal.NotifyContext(context.Background(), heeded...)
}

// heeded are the signals that supervise passes on, without those that this process was
// started to ignore: the go command inherits that.
func heeded() []os.Signal {
	var all []os.Signal
	for _, s := range passedOn {
		if !signal.Ignored(s) {
			all = append(all, s)
		}
	}
	return all
}

// gently has the end of a command's context interrupt it, and kill it only when that
// does not help.
func gently(cmd *exec.Cmd) {
	cmd.WaitDelay = 5 * time.Second
	cmd.Cancel = func() error {
		if cmd.Process.Signal(os.Interrupt) != nil { // not on every system
			return cmd.Process.Kill()
		}
		return nil
	}
}

// supervise runs the go command with the signals of this process. The status is its exit status, and 128 more than the signal that ended it:
// this process does not end itself by that signal, because go tool may report success
// for a tool that a signal has ended.
func supervise(cmd *exec.Cmd) (status int, err error) {
	// Room for the signals that come before the command has started.
	signals := make(chan os.Signal, 16)
	for _, s := range heeded() {
		signal.Notify(signals, s)
	}
	defer signal.Stop(signals)
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for {
		select {
		case s := <-signals:
			if !reachesAll(s) {
				_ = cmd.Process.Signal(s) // it may have ended
			}
		case err := <-ended:
			if cmd.ProcessState == nil {
				return 0, err
			}
			return exitStatus(cmd.ProcessState), nil
		}
	}
}
