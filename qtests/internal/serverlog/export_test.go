package serverlog

import "maps"

// Panics is the kind of the panics of a handler.
const Panics = servingPanicked

// Kinds returns how many lines of each kind there were.
func (l *Log) Kinds() map[string]int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return maps.Clone(l.mu.kinds)
}
