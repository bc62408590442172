package accesslog

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-qtests/qtests/qtests/internal/text"
)

// ErrNoEntries is the error of [Read] when no line of the input parses.
var ErrNoEntries = errors.New("load: log without entries")

// maxBadLines is how many lines that do not parse are kept for showing.
const maxBadLines = 5

// A Log is a recorded access log.
type Log struct {
	// Entries are in the order of their instants. Those of one instant are in the order of the
	// file.
	Entries []Entry
	// Lines is how many lines were read, without blank ones and W3C directives, and Skipped how many
	// of them are no entry. The parts of a line that CRI cut are one line.
	Lines, Skipped int
	// Disordered is how many entries were earlier than the one before them.
	Disordered int
	// Bad are the first five lines that were skipped.
	Bad []LineError
}

// A LineError is one line that does not parse.
type LineError struct {
	File   string
	Line   int
	Reason string
	Text   string // the beginning of the line
}

func (e LineError) Error() string {
	return fmt.Sprintf("%s:%d: %s: %q", e.File, e.Line, e.Reason, e.Text)
}

// String sums the log up in a line, and adds a line for each of the first ones that were skipped.
func (l *Log) String() string {
	if len(l.Entries) == 0 {
		return "no entries"
	}
	first, last := l.Entries[0].At, l.Entries[len(l.Entries)-1].At
	text := fmt.Sprintf("%s entries from %s to %s, %s lines skipped, %s out of order", text.Grouped(int64(len(l.Entries))),
		first.Format(time.RFC3339), last.Format(time.RFC3339), text.Grouped(int64(l.Skipped)), text.Grouped(int64(l.Disordered)))
	for _, bad := range l.Bad {
		text += "\n\t" + bad.Error()
	}
	return text
}

// sort sorts the entries by time, and counts those that were out of order.
func (l *Log) sort() {
	for i := 1; i < len(l.Entries); i++ {
		if l.Entries[i].At.Before(l.Entries[i-1].At) {
			l.Disordered++
		}
	}
	slices.SortStableFunc(l.Entries, func(a, b Entry) int { return a.At.Compare(b.At) })
}

// none is the error of a log without entries.
func (l *Log) none(file string) error {
	errs := []error{fmt.Errorf("%w: %s: %d lines, and none parses", ErrNoEntries, file, l.Lines)}
	for _, bad := range l.Bad {
		errs = append(errs, bad)
	}
	return errors.Join(errs...)
}

// skip counts a line that is no entry.
func (l *Log) skip(file string, number int, text []byte, reason string) {
	l.Skipped++
	bad := LineError{file, number, reason, strings.ToValidUTF8(string(text[:min(len(text), 80)]), "?")}
	at, _ := slices.BinarySearchFunc(l.Bad, bad, func(a, b LineError) int { return a.Line - b.Line })
	l.Bad = slices.Insert(l.Bad, at, bad) // wrong years are found after all lines were read
	l.Bad = l.Bad[:min(len(l.Bad), maxBadLines)]
}
