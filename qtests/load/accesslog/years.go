package accesslog

import (
	"fmt"
	"slices"
	"time"
)

// MaxSpan is the longest time that a replay of a log may span: five years. It keeps one wrong year from
// making a run of decades.
const MaxSpan = 5 * 366 * 24 * time.Hour

// Entries have a wrong year, such as that of a clock that began at 1970, if there is a main group, with
// more than half of all entries, and they are either further than MaxSpan away from it, or few and further
// than it is long. A log of many months, or with seasons without traffic, loses nothing.
const (
	// farAway is the least distance between two groups.
	farAway = 183 * 24 * time.Hour
	// fewOf says what few are: one entry, or one in so many of the log.
	fewOf = 100
)

// A group is entries between which no gap is farAway.
type group struct {
	first, last int64 // seconds since 1970
	size        int
}

// dropWrongYears removes the entries with a wrong year. numbers are the lines of the entries.
func (l *Log) dropWrongYears(file string, numbers []int) {
	groups := l.groups()
	if len(groups) < 2 {
		return
	}
	body := slices.MaxFunc(groups, func(a, b group) int { return a.size - b.size })
	if 2*body.size <= len(l.Entries) {
		return
	}
	few := max(1, len(l.Entries)/fewOf)
	kept := l.Entries[:0]
	for i, e := range l.Entries {
		if !groupOf(groups, e.At.Unix()).strays(body, few) {
			kept = append(kept, e)
			continue
		}
		l.skip(file, numbers[i], []byte(e.At.Format(time.RFC3339)+" "+e.String()),
			fmt.Sprintf("wrong year: the time is far from the other entries, %s to %s", day(body.first), day(body.last)))
	}
	clear(l.Entries[len(kept):])
	l.Entries = kept
}

// strays reports whether the entries of a group have a wrong year.
func (g group) strays(body group, few int) bool {
	away := g.distance(body)
	return g != body && (away > int64(MaxSpan/time.Second) || g.size <= few && away > body.last-body.first)
}

// groups returns the groups in the order of time.
func (l *Log) groups() (out []group) {
	times := make([]int64, len(l.Entries))
	for i, e := range l.Entries {
		times[i] = e.At.Unix()
	}
	slices.Sort(times)
	for i, t := range times {
		if i == 0 || t-times[i-1] > int64(farAway/time.Second) {
			out = append(out, group{first: t})
		}
		g := &out[len(out)-1]
		g.last = t
		g.size++
	}
	return out
}

// groupOf returns the group that has an instant.
func groupOf(groups []group, t int64) group {
	i, _ := slices.BinarySearchFunc(groups, t, func(g group, t int64) int {
		if g.last < t {
			return -1
		}
		return 1
	})
	return groups[i]
}

// distance is the time in seconds between two groups.
func (g group) distance(h group) int64 { return max(g.first-h.last, h.first-g.last) }

func day(seconds int64) string { return time.Unix(seconds, 0).UTC().Format(time.DateOnly) }
