package story

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/internal/explore"
	"github.com/go-qtests/qtests/qtests/internal/inputs"
	"github.com/go-qtests/qtests/qtests/internal/ordered"
	"github.com/go-qtests/qtests/qtests/internal/site"
)

// shop is the source of the run in these tests.
var shop = []string{"", "n := c.total", "c.total = n + 1", "mu.Lock()", "other.Lock()", "go work()", "mu.Unlock()"}

func source(_ string, line int) string {
	if line < len(shop) {
		return shop[line]
	}
	return ""
}

// does is a step of a goroutine at a line of the shop, at the text what.
func does(kind ordered.StepKind, g uint64, op site.Op, object, value uint64, line int, what string) ordered.Step {
	size := 0
	if op == site.Read || op == site.Write {
		size = 8
	}
	col := strings.Index(source("", line), what) + 1
	return ordered.Step{
		Kind: kind, Goroutine: g, Object: object, Value: value, Site: site.New(op, size, op == site.Read, true, false, col, len(what)),
		Stack: []ordered.Frame{{Function: "runtime.gopark", File: "/usr/go/src/runtime/proc.go", Line: 1}, {Function: "shop.work", File: "/home/me/shop.go", Line: line}},
	}
}

func starts(g, other uint64, line int) ordered.Step {
	s := does(ordered.StepStarts, g, site.Other, 0, 0, line, "go")
	s.Other = other
	return s
}

var lostUpdate = []ordered.Step{
	does(ordered.StepPoint, 9, site.Read, 0x10, 0, 1, "c.total"), starts(9, 8, 5), starts(9, 7, 5),
	does(ordered.StepPoint, 8, site.Read, 0x10, 0, 1, "c.total"), does(ordered.StepHeld, 8, site.Write, 0x10, 0, 2, "c.total"),
	does(ordered.StepPoint, 7, site.Read, 0x10, 0, 1, "c.total"), does(ordered.StepPoint, 7, site.Write, 0x10, 1, 2, "c.total"),
	does(ordered.StepEnds, 7, site.Other, 0, 0, 2, "c"), does(ordered.StepPoint, 8, site.Write, 0x10, 1, 2, "c.total"),
}

func TestStory(t *testing.T) {
	s := Tell("TestTotal", &explore.Failure{Kind: "assertion", Text: "the total is 1"}, lostUpdate, nil, source)
	require.Equal(t, `  G1  the test
  G2  started by G1 at shop.go:5
  G3  started by G1 at shop.go:5
  G1  reads c.total = 0               shop.go:1
  G1  starts G2                       shop.go:5
  G1  starts G3                       shop.go:5
  G2  reads c.total = 0               shop.go:1
! G2  is held before it writes c.total  shop.go:2
  G3  reads c.total = 0               shop.go:1
  G3  writes c.total = 1              shop.go:2
  G2  goes on: writes c.total = 1     shop.go:2
  => assertion: the total is 1
`, strings.ReplaceAll(s.String(), "    shop", "  shop"), "spaces apart")
}

func TestStoryOfADeadlock(t *testing.T) {
	waits := func(g uint64, line int) ordered.Step { return does(ordered.StepWaits, g, site.Other, 0, 0, line, "") }
	s := Tell("TestLocks", &explore.Failure{Kind: "deadlock", Text: "all wait"}, []ordered.Step{
		does(ordered.StepPoint, 8, site.Lock, 0x1, 0, 3, "mu"), does(ordered.StepPoint, 7, site.Lock, 0x2, 0, 4, "other"),
		does(ordered.StepPoint, 8, site.Lock, 0x2, 0, 4, "other"), waits(8, 4), does(ordered.StepPoint, 7, site.Lock, 0x1, 0, 3, "mu"), waits(7, 3),
	}, nil, source)
	require.Equal(t, []string{
		"G1 waits to lock other at shop.go:4, which G2 holds since shop.go:4", "G2 waits to lock mu at shop.go:3, which G1 holds since shop.go:3",
	}, s.Cycle)
	require.Contains(t, s.String(), "waits to lock other, which G2 holds since shop.go:4")
}

// A lock that was given back is nobody's, and one that is waited for goes to who is woken.
func TestHolders(t *testing.T) {
	wakes := does(ordered.StepWakes, 8, site.Other, 0, 0, 6, "mu")
	wakes.Other = 7
	s := Tell("TestLocks", &explore.Failure{Kind: "deadlock", Text: "all wait"}, []ordered.Step{
		does(ordered.StepPoint, 8, site.Lock, 0x1, 0, 3, "mu"), does(ordered.StepPoint, 7, site.Lock, 0x1, 0, 3, "mu"), does(ordered.StepWaits, 7, site.Other, 0, 0, 3, ""),
		does(ordered.StepPoint, 8, site.Unlock, 0x1, 0, 6, "mu"), wakes,
		does(ordered.StepPoint, 8, site.Lock, 0x1, 0, 3, "mu"), does(ordered.StepWaits, 8, site.Other, 0, 0, 3, ""),
	}, nil, source)
	require.Contains(t, s.String(), "unlocks mu, which wakes G2")
	require.Contains(t, s.String(), "G1  waits to lock mu, which G2 holds since shop.go:3")
	require.Empty(t, s.Cycle)
}

// A reader that comes behind a writer waits for it, and the others say what they hold.
func TestStoryOfReaders(t *testing.T) {
	waits := func(g uint64, line int) ordered.Step { return does(ordered.StepWaits, g, site.Other, 0, 0, line, "") }
	s := Tell("TestLocks", &explore.Failure{Kind: "deadlock", Text: "all wait"}, []ordered.Step{
		does(ordered.StepPoint, 8, site.RLock, 0x1, 0, 3, "mu"), does(ordered.StepPoint, 9, site.Lock, 0x2, 0, 4, "other"),
		does(ordered.StepPoint, 7, site.Lock, 0x1, 0, 6, "mu"), waits(7, 6), does(ordered.StepPoint, 8, site.RLock, 0x1, 0, 3, "mu"), waits(8, 3),
		does(ordered.StepPoint, 9, site.Receive, 0x3, 0, 5, "work"), waits(9, 5),
	}, nil, source)
	require.Equal(t, []string{
		"G1 waits to lock mu to read at shop.go:3, behind G3, which waits to lock it", "G3 waits to lock mu at shop.go:6, which G1 holds since shop.go:3",
	}, s.Cycle)
	require.Equal(t, []string{"G2 waits to receive from work at shop.go:5; it holds other since shop.go:4"}, s.Ends)
	require.Contains(t, s.String(), "  at the end: G2 waits")
	// One that locks twice waits for itself.
	s = Tell("TestLocks", &explore.Failure{Kind: "deadlock", Text: "all wait"}, []ordered.Step{
		does(ordered.StepPoint, 8, site.Lock, 0x1, 0, 3, "mu"), does(ordered.StepPoint, 8, site.Lock, 0x1, 0, 3, "mu"), waits(8, 3),
	}, nil, source)
	require.Equal(t, []string{"G1 waits to lock mu at shop.go:3, which G1 holds since shop.go:3"}, s.Cycle)
	require.Empty(t, s.Ends)
	// A reader that gives back does not give back for the other one.
	s = Tell("TestLocks", &explore.Failure{Kind: "deadlock", Text: "all wait"}, []ordered.Step{
		does(ordered.StepPoint, 8, site.RLock, 0x1, 0, 3, "mu"), does(ordered.StepPoint, 7, site.RLock, 0x1, 0, 3, "mu"),
		does(ordered.StepPoint, 8, site.RUnlock, 0x1, 0, 6, "mu"), does(ordered.StepPoint, 8, site.Lock, 0x1, 0, 3, "mu"), waits(8, 3),
	}, nil, source)
	require.Contains(t, s.String(), "G1  waits to lock mu, which G2 holds since shop.go:3")
}

// Two objects of one name get numbers, and a step without a text has the name from before.
func TestNamesOfObjects(t *testing.T) {
	unlock := does(ordered.StepPoint, 7, site.Unlock, 0x1, 0, 6, "mu")
	unlock.Stack = nil
	var steps []ordered.Step
	for _, g := range []uint64{8, 7} {
		for object := uint64(1); object < 3; object++ {
			steps = append(steps, does(ordered.StepPoint, g, site.Read, object, 0, 1, "c.total"))
		}
	}
	steps = append(steps, does(ordered.StepPoint, 7, site.Lock, 0x9, 0, 3, "mu"), unlock)
	s := Tell("T", &explore.Failure{Kind: "assertion", Text: "x"}, steps, nil, source).String()
	require.Contains(t, s, "reads c.total (1) = 0")
	require.Contains(t, s, "reads c.total (2) = 0")
	require.Contains(t, s, "unlocks c.total (1)")
	require.Contains(t, s, "locks mu ")
}

// Faults stand where they begin, with the time; the load that was cut is told, too.
func TestStoryOfFaults(t *testing.T) {
	later := func(s ordered.Step, at time.Duration) ordered.Step { s.At = at; return s }
	steps := []ordered.Step{
		later(does(ordered.StepPoint, 8, site.Lock, 0x1, 0, 3, "mu"), time.Second), later(does(ordered.StepPoint, 7, site.Lock, 0x1, 0, 6, "mu"), 3*time.Second),
		later(does(ordered.StepPoint, 7, site.Unlock, 0x1, 0, 6, "mu"), 3*time.Second),
	}
	in := &inputs.Inputs{
		Faults: []inputs.Fault{{Name: "db: outage", At: 2 * time.Second, For: time.Minute}, {Name: "store: crash", At: 90 * time.Second, Before: 3}},
		Loads:  []inputs.Load{{Name: "shop", N: 1, Requests: 7, Scale: 1}, {Name: "whole", N: 1, Scale: 1}},
	}
	s := Tell("T", &explore.Failure{Kind: "assertion", Text: "x"}, steps, in, source)
	require.Equal(t, `  G1  the test
  G2  started before
  load: shop: the first 7 requests
  1s     G1  locks mu                                        shop.go:3
  2s     *   db: outage, at 2s, for 1m0s
  3s     G2  locks mu                                        shop.go:6
         G2  unlocks mu                                      shop.go:6
  1m30s  *   store: crash, before operation 3 from 1m30s on
  => assertion: x
`, s.String())
	var b bytes.Buffer
	require.NoError(t, s.WriteHTML(&b))
	require.Equal(t, 2, strings.Count(b.String(), `<g class="row fault"`))
	in.Faults = slices.Repeat(in.Faults, 30)
	text := Tell("T", &explore.Failure{Kind: "assertion", Text: "x"}, steps, in, source).String()
	require.LessOrEqual(t, strings.Count(text, "\n"), MostLines)
}

// However long the run, the account has at most 30 lines, the held one among them.
func TestStoryIsShort(t *testing.T) {
	for _, n := range []int{0, 1, 100, 3000} {
		var steps []ordered.Step
		for i := range n {
			g := uint64(i%40 + 1)
			steps = append(steps, starts(100, g, 5), does(ordered.StepPoint, g, site.Read, uint64(i%3+1), uint64(i), 1, "c.total"))
		}
		steps = append(steps, lostUpdate...)
		for i := range n {
			steps = append(steps, does(ordered.StepPoint, 8, site.Write, 0x99, uint64(i), 2, "c.total"))
		}
		text := Tell("TestTotal", &explore.Failure{Kind: "assertion", Text: strings.Repeat("long ", 100)}, steps, nil, source).String()
		require.LessOrEqual(t, strings.Count(text, "\n"), MostLines, "%s", text)
		require.Contains(t, text, "! G", "%s", text)
		for line := range strings.Lines(text) {
			require.Less(t, len([]rune(line)), 200)
		}
	}
}

// The page is well formed, needs nothing else, and takes names as text.
func TestPage(t *testing.T) {
	var b bytes.Buffer
	s := Tell("Test<b>", &explore.Failure{Kind: "panic", Text: "<script>alert(1)</script>"}, lostUpdate, nil, source)
	require.NoError(t, s.WriteHTML(&b))
	page := b.String()
	require.NotContains(t, page, "<script>alert")
	require.NotContains(t, page, "http")
	for _, part := range []string{"prefers-color-scheme: dark", "@media print", "ArrowDown", `tabindex="0"`, "is held before it writes c.total"} {
		require.Contains(t, page, part)
	}
	from, to := strings.Index(page, "<svg"), strings.Index(page, "</svg>")
	d := xml.NewDecoder(strings.NewReader(page[from : to+6]))
	for {
		_, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
	}
	require.Equal(t, 3, strings.Count(page, `class="lane"`))
}

func TestValues(t *testing.T) {
	for _, c := range []struct {
		size            int
		signed, pointer bool
		value           uint64
		want            string
	}{
		{8, true, false, ^uint64(0), "-1"}, {1, true, false, 0xff, "-1"}, {1, false, false, 0xff, "255"}, {4, true, false, 7, "7"}, {8, false, true, 7, ""}, {0, true, false, 7, ""},
	} {
		s := ordered.Step{Value: c.value, Site: site.New(site.Read, c.size, true, c.signed, c.pointer, 1, 1)}
		require.Equal(t, c.want, valueOf(&s), fmt.Sprint(c))
	}
}
