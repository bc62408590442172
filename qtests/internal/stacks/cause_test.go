package stacks

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestCause: what stops the time of a bubble is told by the state, and where that is not enough by the stack.
func TestCause(t *testing.T) {
	for _, c := range []struct {
		state, stack string
		want         Cause
	}{
		{"sync.Mutex.Lock", "", CauseMutex},
		{"sync.RWMutex.RLock", "", CauseMutex},
		{"semacquire", "", CauseMutex},
		{"IO wait", "net.(*conn).Read(0x1)\n", causeNetwork},
		{"IO wait", "os.(*File).Read(0x1)\n", causePipe},
		{"syscall", "os.(*File).Read(0x1)\n", causeSyscall},
		{"chan receive", "", causeChannel},
		{"select", "", causeChannel},
		{"select (no cases)", "", causeChannel},
		{"sync.WaitGroup.Wait", "", causeGroup},
		{"chan receive", "testing.(*T).Parallel(0x1)\n", causeTests},
		{"finalizer wait", "", Cause{"finalizer wait", "Time cannot pass during this wait.", false}},
	} {
		require.Equal(t, c.want, Goroutine{State: c.state, Stack: c.stack}.Cause(), "%s %s", c.state, c.stack)
	}
}

// TestDescribeCulprits: one paragraph a cause, in the order in which they appear, with all that wait for it.
func TestDescribeCulprits(t *testing.T) {
	text := DescribeCulprits([]Goroutine{
		{ID: 1, State: "syscall", Stack: "main.a()\n\t/a.go:1 +0x1"},
		{ID: 2, State: "select", Stack: "main.b()\n\t/b.go:2 +0x1"},
		{ID: 3, State: "syscall", Stack: "main.c()\n\t/c.go:3 +0x1"},
	})
	require.Equal(t, "\nWaiting for a system call (2): "+causeSyscall.advice+
		"\n\ngoroutine 1 [syscall] at /a.go:1\nmain.a()\n\t/a.go:1 +0x1\n\ngoroutine 3 [syscall] at /c.go:3\nmain.c()\n\t/c.go:3 +0x1\n"+
		"\nWaiting for a channel made outside the bubble (1): "+causeChannel.advice+
		"\n\ngoroutine 2 [select] at /b.go:2\nmain.b()\n\t/b.go:2 +0x1", text)
}

// TestDescribeLocks: who waits for whom is said where two mutexes are wanted, and is sure where nobody else can hold them.
func TestDescribeLocks(t *testing.T) {
	wants := func(id uint64, mutex string) Goroutine {
		return Goroutine{ID: id, State: "sync.Mutex.Lock", Stack: "sync.(*Mutex).lockSlow(" + mutex + ")\n\t" + goroot("sync/mutex.go:1") +
			"\nmain.f()\n\t/f.go:" + string(rune('0'+id)) + " +0x1"}
	}
	const all = "\n\nThese wait for each other, each with a mutex that another one wants:\n\tgoroutine 1 at /f.go:1\n\tgoroutine 2 at /f.go:2\nLet all lock them in one order."
	a, b := wants(1, "0xc0"), wants(2, "0xc8")
	sleeps := Goroutine{ID: 3, State: "sleep", Stack: "main.g()\n\t/g.go:1"}
	joins := Goroutine{ID: 4, State: "sync.WaitGroup.Wait", Stack: "main.g()\n\t/g.go:1"}
	for _, c := range []struct {
		name  string
		stuck []Goroutine
		want  string
	}{
		{"two", []Goroutine{a, b}, all},
		{"one", []Goroutine{a}, ""},
		{"two want the same", []Goroutine{a, wants(2, "0xc0")}, ""},
		{"a third wants the same", []Goroutine{a, b, wants(5, "0xc0")}, all},
		{"one only joins", []Goroutine{a, joins, b}, all},
		{"one may hold both", []Goroutine{a, sleeps, b}, strings.Replace(all, "These wait", "These may wait", 1)},
		{"of one it is not known", []Goroutine{wants(1, "..."), b}, strings.Replace(all, "These wait", "These may wait", 1)},
	} {
		require.Equal(t, c.want, DescribeLocks(c.stuck), c.name)
	}
}
