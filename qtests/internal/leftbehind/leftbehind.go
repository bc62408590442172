// Package leftbehind remembers what may stay when a bubble ends: the bubbles that somebody has
// given up, and the functions whose goroutines a test lets stay.
package leftbehind

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/go-qtests/qtests/qtests/internal/stacks"
)

// A Bubble is a bubble that nobody waits for any more.
type Bubble struct {
	Test    string
	Allowed bool // its goroutines may stay; otherwise it stood still
}

// process is what the process knows. Of the bubbles that stand still there is at most one for
// each test of the binary and seed; each of the others has a goroutine that never ends.
var process = struct {
	sync.Mutex
	bubbles map[uint64]Bubble
	allowed map[string]bool // functions whose goroutines may stay
	said    map[string]bool // those that the log has mentioned
}{bubbles: map[uint64]Bubble{}, allowed: map[string]bool{}, said: map[string]bool{}}

// Add records that nobody waits any more for the bubble with that number.
func Add(number uint64, what Bubble) {
	process.Lock()
	defer process.Unlock()
	process.bubbles[number] = what
}

// Forget is for tests: it takes back an Add.
func Forget(number uint64) {
	process.Lock()
	defer process.Unlock()
	delete(process.bubbles, number)
}

// Test returns the name of the test that left the bubble behind, or "".
func Test(number uint64) string {
	if number == 0 {
		return ""
	}
	process.Lock()
	defer process.Unlock()
	return process.bubbles[number].Test
}

// Describe names all bubbles that stood still, a line each.
func Describe() string {
	process.Lock()
	defer process.Unlock()
	var b strings.Builder
	for _, number := range slices.Sorted(maps.Keys(process.bubbles)) {
		if what := process.bubbles[number]; !what.Allowed {
			fmt.Fprintf(&b, "qtests: bubble %d of %s stood still and was left behind; its goroutines are not counted as leaks\n", number, what.Test)
		}
	}
	return b.String()
}

// Allow lets the goroutines of functions stay in every bubble.
func Allow(functions []string) {
	process.Lock()
	defer process.Unlock()
	for _, name := range functions {
		process.allowed[name] = true
	}
}

// Allows reports whether Allow was called with the name.
func Allows(function string) bool {
	process.Lock()
	defer process.Unlock()
	return process.allowed[function]
}

// A Permission is what one bubble allows beyond the process. It is safe for concurrent use.
type Permission struct{ functions []string }

// Allow lets the goroutines of functions stay in this bubble.
func (p *Permission) Allow(functions []string) {
	process.Lock()
	defer process.Unlock()
	p.functions = append(p.functions, functions...)
}

// Part tells the goroutines that may not stay from those that may, which it counts by the name
// of the function that lets them.
func (p *Permission) Part(left []stacks.Goroutine) (rest []stacks.Goroutine, stay map[string]int) {
	process.Lock()
	defer process.Unlock()
	stay = map[string]int{}
	for _, g := range left {
		names := []string{g.WaitsIn(), g.Creator()}
		i := slices.IndexFunc(names, func(name string) bool {
			return name != "" && (process.allowed[name] || slices.Contains(p.functions, name))
		})
		if i < 0 {
			rest = append(rest, g)
		} else {
			stay[names[i]]++
		}
	}
	return rest, stay
}

// DescribeStay says, once for each name, that goroutines were left behind.
func DescribeStay(stay map[string]int) (notes []string) {
	process.Lock()
	defer process.Unlock()
	for _, name := range slices.Sorted(maps.Keys(stay)) {
		if !process.said[name] {
			process.said[name] = true
			notes = append(notes, fmt.Sprintf("qtests: the bubble is left behind with %d of the goroutines that Allow lets stay: %s. Later bubbles are, too, without a word", stay[name], name))
		}
	}
	return notes
}
