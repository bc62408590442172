package compare

import (
	"slices"
	"strings"
	"sync"
	"time"
)

// A machine that does other work shows it before each comparison: as many loops of a fixed
// length as there are processors for this process get less than all of their time.

// busyBelow is the share of the processors below which a machine is called busy.
const busyBelow = 0.9

// loopLength is how long a look at the machine takes, in real time.
const loopLength = 20 * time.Millisecond

// shareOfProcessors is processor time over real time of loops on all the processors, 1 where
// nobody else works; and false where the system does not say what a process has used.
func shareOfProcessors(procs int) (share float64, ok bool) {
	before, ok := ProcessorTime()
	if !ok {
		return 0, false
	}
	start := time.Now()
	var all sync.WaitGroup
	for range procs {
		all.Go(func() {
			for time.Since(start) < loopLength {
			}
		})
	}
	all.Wait()
	wall := time.Since(start)
	after, ok := ProcessorTime()
	return min(float64(after-before)/float64(wall)/float64(procs), 1), ok
}

// busyness says in words what the looks at the machine have shown.
func busyness(shares []float64) string {
	if len(shares) == 0 {
		return "unknown: the system does not say what a process has used"
	}
	s := Summarize(shares)
	least := slices.Min(shares)
	text := " loops on all processors got " + percent(s.Median) + " of them, at the worst moment " + percent(least)
	if s.Median < busyBelow {
		return "**busy with other work**:" + text + "; trust ratios, no absolute time"
	}
	if least < busyBelow {
		return "quiet for the most part:" + text
	}
	return "quiet:" + text
}

func percent(x float64) string {
	return strings.TrimSuffix(Number(float64(int(x*100+0.5))), ".0") + " %"
}
