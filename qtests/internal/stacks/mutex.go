package stacks

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// DescribeLocks says of those that can never go on who waits for each other. On the
// stock runtime none of them waits for a mutex, because such a wait is not durable.
func DescribeLocks(stuck []Goroutine) string {
	waiters := slices.DeleteFunc(slices.Clone(stuck), func(g Goroutine) bool { return g.Cause() != CauseMutex })
	holders := slices.DeleteFunc(slices.Clone(stuck), func(g Goroutine) bool { return g.Cause() == CauseMutex || g.Joins() })
	return DescribeCycle(waiters, len(holders) == 0)
}

// DescribeCycle says that goroutines wait for each other, where they wait for two
// mutexes or more. A mutex does not know who holds it, and of a reader the stack
// does not show for which it waits: that they hold what the others want is sure
// only where nobody else can, and all is known.
func DescribeCycle(waiters []Goroutine, alone bool) string {
	wanted := map[uint64]bool{}
	var lines []string
	for _, g := range waiters {
		mutex := g.wantedMutex()
		if mutex != 0 && wanted[mutex] {
			continue
		}
		wanted[mutex] = true
		alone = alone && mutex != 0
		lines = append(lines, fmt.Sprintf("goroutine %d at %s", g.ID, g.UserLine()))
	}
	if len(wanted) < 2 {
		return ""
	}
	verb := "These may wait for each other"
	if alone {
		verb = "These wait for each other"
	}
	return fmt.Sprintf("\n\n%s, each with a mutex that another one wants:\n\t%s\nLet all lock them in one order.", verb, strings.Join(lines, "\n\t"))
}

// Joins reports whether g only waits until others are done: in the body's Wait,
// or in that of a WaitGroup. Few hold a mutex meanwhile.
func (g Goroutine) Joins() bool {
	return strings.HasPrefix(g.State, "sync.WaitGroup") || strings.HasPrefix(g.State, "synctest.Wait")
}

// wantedMutex returns the address of the mutex for which g waits, as its stack
// shows it: the first argument of the outermost function of package sync, or of
// those below it where the compiler has put that one into its caller. It is 0
// where there is none.
func (g Goroutine) wantedMutex() uint64 {
	var mutex uint64
	for line := range strings.Lines(g.Stack) {
		if strings.HasPrefix(line, "\t") {
			continue
		}
		if !strings.HasPrefix(line, "sync.") && !strings.HasPrefix(line, "internal/sync.") {
			break
		}
		_, arguments, _ := strings.Cut(line[strings.LastIndexByte(line, '('):], "(0x")
		end := strings.IndexFunc(arguments, func(r rune) bool { return !strings.ContainsRune("0123456789abcdef", r) })
		address, err := strconv.ParseUint(arguments[:max(end, 0)], 16, 64)
		if err != nil || strings.HasPrefix(arguments[end:], "?") { // no longer what it was
			continue
		}
		mutex = address
	}
	return mutex
}
