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
	// Entries are in the order of their instants; those of one instant in the
	// order of the file.
	Entries []Entry
	// Lines is how many lines were read, blank ones aside, and Skipped how many
	// of them are no entry.
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

// Read reads an access log in common log format, combined log format or JSON
// lines, recognized line by line. file is the name that errors show.
//
// A line of JSON is an object with a time (RFC 3339, common log format, or
// seconds since 1970) under time, ts, timestamp or @timestamp, and client (or
// remote_addr, ip, host), method, path (or uri, url, request_uri), status, and bytes (or
// size, body_bytes_sent). Only the time and the path must be there.
//
// A line that does not parse, one longer than 64 KiB, and one whose time is more
// than 183 days from the middle of the log (a wrong year) are counted and the
// first five kept; none of them is fatal unless no line is left, which is
// ErrNoEntries joined with the lines kept. Times out of order are sorted. More
// than MaxLogEntries entries, and an error of r, are errors that name the line.
func Read(file string, r io.Reader) (*Log, error) {
	log := &Log{}
	lines := lineReader{r: bufio.NewReaderSize(r, MaxLine+1)}
	var numbers []int // of the entries, for those that are dropped later
	for {
		text, long, err := lines.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("load: %s:%d: %w", file, lines.number, err)
		}
		if text = bytes.TrimSpace(text); len(text) == 0 {
			continue
		}
		log.Lines++
		entry, err := parseLine(text)
		switch {
		case long:
			log.skip(file, lines.number, text, fmt.Sprintf("longer than %d bytes", MaxLine))
		case err != nil:
			log.skip(file, lines.number, text, err.Error())
		case len(log.Entries) == MaxEntries:
			return nil, fmt.Errorf("load: %s:%d: more than %d entries", file, lines.number, MaxEntries)
		default:
			log.Entries = append(log.Entries, entry)
			numbers = append(numbers, lines.number)
		}
	}
	log.dropWrongYears(file, numbers)
	if len(log.Entries) == 0 {
		return nil, log.none(file)
	}
	for i := 1; i < len(log.Entries); i++ {
		if log.Entries[i].At.Before(log.Entries[i-1].At) {
			log.Disordered++
		}
	}
	slices.SortStableFunc(log.Entries, func(a, b Entry) int { return a.At.Compare(b.At) })
	return log, nil
}

func (l *Log) none(file string) error {
	errs := []error{fmt.Errorf("%w: %s: %d lines, none of which parses", ErrNoEntries, file, l.Lines)}
	for _, bad := range l.Bad {
		errs = append(errs, bad)
	}
	return errors.Join(errs...)
}

func (l *Log) skip(file string, number int, text []byte, reason string) {
	l.Skipped++
	bad := LineError{file, number, reason, strings.ToValidUTF8(string(text[:min(len(text), 80)]), "?")}
	at, _ := slices.BinarySearchFunc(l.Bad, bad, func(a, b LineError) int { return a.Line - b.Line })
	l.Bad = slices.Insert(l.Bad, at, bad) // a wrong year is found out after all lines
	l.Bad = l.Bad[:min(len(l.Bad), maxBadLines)]
}

// dropWrongYears removes the entries far from the median. The first entry would
// be no yardstick: it may be the wrong one.
func (l *Log) dropWrongYears(file string, numbers []int) {
	if len(l.Entries) == 0 {
		return
	}
	times := make([]int64, len(l.Entries))
	for i, e := range l.Entries {
		times[i] = e.At.Unix()
	}
	slices.Sort(times)
	median := time.Unix(times[len(times)/2], 0).UTC()
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

// String sums the log up in a line, and shows the first lines that were skipped,
// each in a line of its own.
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

// A lineReader returns lines without ever holding more than one buffer of a
// long one.
type lineReader struct {
	r      *bufio.Reader
	number int
}

// next returns a line, which is valid until the next call, and whether it was
// longer than the buffer; then the line is its beginning and the rest is
// skipped.
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
