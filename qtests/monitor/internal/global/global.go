// Package global knows which tests scrape the registry of the process at this moment.
package global

import (
	"maps"
	"slices"
	"strings"
	"sync"
)

var mu sync.Mutex

// tests counts the monitors of each test; mu guards it.
var tests = map[string]int{}

// Enter says that a test begins to scrape the registry, and returns a test that does so at
// the same time and is neither the same one nor above or below it, or "".
func Enter(test string) (other string) {
	mu.Lock()
	defer mu.Unlock()
	tests[test]++
	for _, name := range slices.Sorted(maps.Keys(tests)) {
		if !within(test, name) && !within(name, test) {
			return name
		}
	}
	return ""
}

// Leave ends what Enter began.
func Leave(test string) {
	mu.Lock()
	defer mu.Unlock()
	if tests[test]--; tests[test] == 0 {
		delete(tests, test)
	}
}

// within reports whether a test is the other, or a subtest of it.
func within(test, other string) bool { return test == other || strings.HasPrefix(test, other+"/") }
