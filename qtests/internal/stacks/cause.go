package stacks

import (
	"fmt"
	"strings"
)

// A Cause is a kind of wait that stops the time of a bubble.
type Cause struct {
	name, advice string
	MayResolve   bool
}

// CauseMutex and the others are what stops the time of a bubble, with what helps.
var (
	CauseMutex   = Cause{"a mutex", "Time cannot pass while a goroutine waits for a mutex. The goroutine that holds it must not wait for fake time meanwhile: unlock before sleeping or calling out, or guard with a channel of capacity 1, which waits durably. Where the code is not yours (a token source, a cache that loads under its lock, a sync.Once): run the test on the ordered runtime, with go tool qtests test, where time passes; or give what is called under the lock a latency of zero; or wrap it, so that one goroutine calls it and the others wait for a channel.", false}
	causeNetwork = Cause{"the network", "Time cannot pass while a goroutine waits for a socket. An idle connection of an http.Client waits, too: CloseIdleConnections. Serve in memory: q.Serve, or qtests.Listen with its Dial.", true}
	causePipe    = Cause{"a pipe, a terminal or a device", "Time cannot pass while a goroutine waits for a file of the operating system. Inside the test, use io.Pipe; run what writes to it outside qtests.Run.", true}
	causeSyscall = Cause{"a system call", "Time cannot pass during a system call. Run subprocesses, and whatever else waits for the world, outside qtests.Run.", true}
	causeChannel = Cause{"a channel made outside the bubble", "Time cannot pass while a goroutine waits for a channel that others can reach. Make the channel inside qtests.Run.", false}
	causeTests   = Cause{"other tests, in t.Parallel", "A bubble cannot wait for other tests. Turn it round: t.Run and t.Parallel outside, and qtests.Run in each subtest.", false}
	causeGroup   = Cause{"a WaitGroup made outside the bubble", "Time cannot pass while a goroutine waits for a group that others can reach. Make the WaitGroup inside qtests.Run, not in a package variable.", false}
)

// Cause classifies what a goroutine that is not durably blocked waits for.
func (g Goroutine) Cause() Cause {
	switch state := g.State; {
	case strings.Contains(g.Stack, "testing.(*T).Parallel("):
		return causeTests
	case strings.HasPrefix(state, "sync.Mutex"), strings.HasPrefix(state, "sync.RWMutex"), state == "semacquire":
		return CauseMutex
	case state == "IO wait" && strings.Contains(g.Stack, "os.(*File)."):
		return causePipe
	case state == "IO wait":
		return causeNetwork
	case state == "syscall":
		return causeSyscall
	case strings.HasPrefix(state, "chan "), strings.HasPrefix(state, "select"):
		return causeChannel
	case strings.HasPrefix(state, "sync.WaitGroup"):
		return causeGroup
	}
	return Cause{name: g.State, advice: "Time cannot pass during this wait."}
}

// DescribeCulprits groups the goroutines by cause, in the order in which the
// causes first appear.
func DescribeCulprits(culprits []Goroutine) string {
	var order []Cause
	groups := map[Cause][]Goroutine{}
	for _, g := range culprits {
		c := g.Cause()
		if groups[c] == nil {
			order = append(order, c)
		}
		groups[c] = append(groups[c], g)
	}
	var b strings.Builder
	for _, c := range order {
		fmt.Fprintf(&b, "\nWaiting for %s (%d): %s\n\n%s\n", c.name, len(groups[c]), c.advice,
			DescribeAlike(groups[c], func(g Goroutine) string { return " at " + g.UserLine() }))
	}
	return strings.TrimRight(b.String(), "\n")
}
