//go:build race

package ordered

// Race reports whether the race detector is in this binary.
const Race = true
