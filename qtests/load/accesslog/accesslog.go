package accesslog

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/go-qtests/qtests/qtests/internal/text"
)

// Limits of [Read].
const (
	// MaxLine is the longest line that is read, in bytes.
	MaxLine = 64 << 10
	// MaxEntries is how many entries a log may have.
	MaxEntries = 2_000_000
	// maxBadLines is how many lines that do not parse are kept for showing.
	maxBadLines = 5
)

// MaxSpan is the longest time that a log may span. It keeps one wrong year from making
// a run of decades: [Read] drops such entries, and a replay of them is an error.
const MaxSpan = 366 * 24 * time.Hour

// ErrNoEntries is the error of [Read] when no line of the input parses.
var ErrNoEntries = errors.New("load: log without entries")

// A Log is a recorded access log.
type Log struct {
	// Entries are in the order of their instants. Those of one instant are in the order of the
	// file.
	Entries []Entry
	// Lines is how many lines were read, without blank ones, and Skipped how many of them are no
	// entry.
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

// Read reads an access log. Each line may be in common log format, in combined log format, or a JSON
// object. file is the name that errors show.
//
// A line of JSON is an object with a time (RFC 3339, common log format, or
// seconds since 1970) under time, ts, timestamp or @timestamp, and client (or
// remote_addr, ip, host), method, path (or uri, url, request_uri), status, and bytes (or
// size, body_bytes_sent). Only the time and the path must be there.
//
// Three kinds of lines are skipped: those that do not parse, those longer than 64 KiB, and those whose
// time is more than 183 days from the middle of the log, which is a wrong year. They are counted, and
// the first five are kept. If no line is left, the error is ErrNoEntries joined with these five. Entries
// are sorted by time. More than MaxEntries entries, and an error of r, are errors that name the line.
func Read(file string, r io.Reader) (*Log, error) {
	in := reader{file: file, lines: lineReader{r: bufio.NewReaderSize(r, MaxLine+1)}}
	for {
		text, long, err := in.lines.next()
		if err == io.EOF {
			break
		}
		if err == nil {
			err = in.add(bytes.TrimSpace(text), long)
		}
		if err != nil {
			return nil, fmt.Errorf("load: %s:%d: %w", file, in.lines.number, err)
		}
	}
	log := &in.log
	log.dropWrongYears(file, in.numbers)
	if len(log.Entries) == 0 {
		return nil, log.none(file)
	}
	log.sort()
	return log, nil
}

// A reader reads one log.
type reader struct {
	file    string
	lines   lineReader
	log     Log
	numbers []int // the line of each entry, for entries that are dropped later
}

// add takes a line, which was longer than MaxLine if long.
func (r *reader) add(line []byte, long bool) error {
	if len(line) == 0 {
		return nil
	}
	r.log.Lines++
	entry, err := parseLine(line)
	switch {
	case long:
		r.log.skip(r.file, r.lines.number, line, fmt.Sprintf("longer than %d bytes", MaxLine))
	case err != nil:
		r.log.skip(r.file, r.lines.number, line, err.Error())
	case len(r.log.Entries) == MaxEntries:
		return fmt.Errorf("more than %d entries", MaxEntries)
	default:
		r.log.Entries = append(r.log.Entries, entry)
		r.numbers = append(r.numbers, r.lines.number)
	}
	return nil
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

func (l *Log) none(file string) error {
	errs := []error{fmt.Errorf("%w: %s: %d lines, and none parses", ErrNoEntries, file, l.Lines)}
	for _, bad := range l.Bad {
		errs = append(errs, bad)
	}
	return errors.Join(errs...)
}

func (l *Log) skip(file string, number int, text []byte, reason string) {
	l.Skipped++
	bad := LineError{file, number, reason, strings.ToValidUTF8(string(text[:min(len(text), 80)]), "?")}
	at, _ := slices.BinarySearchFunc(l.Bad, bad, func(a, b LineError) int { return a.Line - b.Line })
	l.Bad = slices.Insert(l.Bad, at, bad) // wrong years are found after all lines were read
	l.Bad = l.Bad[:min(len(l.Bad), maxBadLines)]
}

// dropWrongYears removes the entries that are far from the median. The first entry tells nothing: it
// may be the wrong one.
func (l *Log) dropWrongYears(file string, numbers []int) {
	if len(l.Entries) == 0 {
		return
	}
	median := l.median()
	kept := l.Entries[:0]
	for i, e := range l.Entries {
		if off := e.At.Sub(median); off > MaxSpan/2 || off < -MaxSpan/2 {
			l.skip(file, numbers[i], []byte(e.At.Format(time.RFC3339)+" "+e.String()),
				fmt.Sprintf("time is more than %v from the middle of the log, %s", MaxSpan/2, median.Format("2006-01-02")))
			continue
		}
		kept = append(kept, e)
	}
	l.Entries = kept
}

// median is the middle of the times of the entries, to the second.
func (l *Log) median() time.Time {
	times := make([]int64, len(l.Entries))
	for i, e := range l.Entries {
		times[i] = e.At.Unix()
	}
	slices.Sort(times)
	return time.Unix(times[len(times)/2], 0).UTC()
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

// A lineReader reads lines. Of a long one it holds one buffer at most.
type lineReader struct {
	r      *bufio.Reader
	number int
}

// next returns a line, which is valid until the next call, and whether it was longer than the buffer.
// Of a longer line it returns the beginning, and skips the rest.
func (l *lineReader) next() (line []byte, long bool, err error) {
	line, err = l.r.ReadSlice('\n')
	l.number++
	if err == bufio.ErrBufferFull {
		line = bytes.Clone(line[:80])
		for err == bufio.ErrBufferFull {
			_, err = l.r.ReadSlice('\n')
		}
		long = true
	}
	if err == io.EOF && len(line) > 0 {
		err = nil
	}
	return line, long, err
}
