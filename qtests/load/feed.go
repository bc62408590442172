package load

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"

	"github.com/go-qtests/qtests/internal/plaintext"
	"github.com/go-qtests/qtests/qtests/internal/share"
)

// Limits of feeds.
const (
	// MaxFeedRows is how many rows a feed may have.
	MaxFeedRows = 1_000_000
	// MaxFeedBytes is how many bytes of text are read for one, after gzip is unpacked and UTF-16 is
	// turned into UTF-8.
	MaxFeedBytes = 256 << 20
)

// A Feed is rows of data. The requests of a run take them one after the other, and after the
// last one begin again with the first. Every run begins with the first row. A Feed does not
// change and is safe for concurrent use. Under a fake clock the order in which requests take
// rows is the same in every run.
type Feed struct {
	rows    []map[string]string
	shuffle bool
}

// CSVFeed reads rows of CSV (RFC 4180). The first row names the columns, each with another name. Errors
// name file and the line. A row may be of any length within MaxFeedBytes. The text may have a byte order
// mark, be UTF-16 with one, and be packed by gzip; this holds for JSONFeed as well.
func CSVFeed(file string, r io.Reader) (*Feed, error) {
	return newFeedReader(file, r, MaxFeedRows, MaxFeedBytes).csv()
}

// JSONFeed reads objects, one after the other or in one array. Their values are strings, numbers,
// truth values or null; null is read as "". Errors name file, and the line that is no JSON or the row
// that is no such object.
func JSONFeed(file string, r io.Reader) (*Feed, error) {
	return newFeedReader(file, r, MaxFeedRows, MaxFeedBytes).json()
}

// A feedReader reads one feed within limits.
type feedReader struct {
	file  string
	in    *io.LimitedReader
	rows  int
	bytes int64
	feed  *Feed
}

func newFeedReader(file string, r io.Reader, rows int, bytes int64) *feedReader {
	limited := &io.LimitedReader{R: plaintext.NewReader(r), N: bytes + 1}
	return &feedReader{file: file, in: limited, rows: rows, bytes: bytes, feed: &Feed{}}
}

func (r *feedReader) csv() (*Feed, error) {
	in := csv.NewReader(r.in)
	in.ReuseRecord = true
	head, err := in.Read()
	if err != nil {
		return nil, r.fail("no line with the names of the columns: %w", err)
	}
	names, seen := slices.Clone(head), map[string]bool{}
	for _, name := range names {
		if seen[name] {
			return nil, r.fail("two columns are called %q", name)
		}
		seen[name] = true
	}
	for {
		record, err := in.Read()
		if err == io.EOF {
			return r.ready()
		}
		if err != nil {
			return nil, r.fail("%w", err) // names the line
		}
		row := make(map[string]string, len(names))
		for i, name := range names {
			row[name] = record[i]
		}
		if err := r.add(row); err != nil {
			return nil, err
		}
	}
}

func (r *feedReader) json() (*Feed, error) {
	text := &lineCounter{r: r.in}
	in := json.NewDecoder(text)
	in.UseNumber()
	for {
		var value any
		if err := in.Decode(&value); err == io.EOF {
			return r.ready()
		} else if err != nil {
			return nil, r.fail("line %d: %w", text.lineOf(err), err)
		}
		text.drop(in.InputOffset())
		values, isArray := value.([]any)
		if !isArray {
			values = []any{value}
		}
		for _, v := range values {
			row, err := jsonRow(v)
			if err != nil {
				return nil, r.fail("row %d: %w", len(r.feed.rows)+1, err)
			}
			if err := r.add(row); err != nil {
				return nil, err
			}
		}
	}
}

func jsonRow(value any) (map[string]string, error) {
	object, ok := value.(map[string]any)
	if !ok {
		return nil, errors.New("is not an object")
	}
	row := make(map[string]string, len(object))
	for key, v := range object {
		switch v := v.(type) {
		case nil:
			row[key] = ""
		case string, json.Number, bool:
			row[key] = fmt.Sprint(v)
		default:
			return nil, fmt.Errorf("%q is neither a string nor a number nor a truth value", key)
		}
	}
	return row, nil
}

func (r *feedReader) add(row map[string]string) error {
	if len(r.feed.rows) == r.rows {
		return r.fail("more than %d rows", r.rows)
	}
	r.feed.rows = append(r.feed.rows, row)
	return nil
}

func (r *feedReader) ready() (*Feed, error) {
	switch {
	case r.in.N <= 0:
		return nil, r.fail("")
	case len(r.feed.rows) == 0:
		return nil, r.fail("there are no rows")
	}
	return r.feed, nil
}

// fail returns an error of the feed. If the limit has cut the input off, that is the error: the rest
// cannot be parsed because of it.
func (r *feedReader) fail(format string, args ...any) error {
	if r.in.N <= 0 {
		format, args = "longer than %d bytes", []any{r.bytes}
	}
	return fmt.Errorf("load: feed %s: "+format, append([]any{r.file}, args...)...)
}

// A lineCounter finds the line of an error. It keeps what was read of the present value, as the
// decoder does.
type lineCounter struct {
	r     io.Reader
	kept  []byte
	start int64 // offset of kept
	line  int   // lines that ended before kept
}

func (c *lineCounter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.kept = append(c.kept, p[:n]...)
	return n, err
}

// drop forgets what lies before offset.
func (c *lineCounter) drop(offset int64) {
	n := offset - c.start
	c.line += bytes.Count(c.kept[:n], []byte{'\n'})
	c.kept, c.start = c.kept[n:], offset
}

// lineOf returns the line of the byte that is no JSON, or else of the last byte.
func (c *lineCounter) lineOf(err error) int {
	kept := bytes.TrimRight(c.kept, " \t\r\n")
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) { // its offset is that after the byte
		kept = c.kept[:min(max(syntax.Offset-1-c.start, 0), int64(len(c.kept)))]
	}
	return c.line + bytes.Count(kept, []byte{'\n'}) + 1
}

// Shuffled returns a feed of the same rows in an order that the seed of the run decides. Every round
// has another order.
func (f *Feed) Shuffled() *Feed { return &Feed{rows: f.rows, shuffle: true} }

// Len is the number of rows.
func (f *Feed) Len() int { return len(f.rows) }

// A cursor is the place of a run in a feed. The run locks it.
type cursor struct {
	feed  *Feed
	order []int // of the present round, of a feed that is shuffled
	round int   // the number of that round, -1 before the first
	next  int   // row, counted on through the rounds
	step  int   // from a row to the next
}

// newCursor is at the first row of a part of a run. The parts take turns.
func newCursor(f *Feed, s share.Share) *cursor {
	return &cursor{feed: f, round: -1, next: int(s.Nth(1)) - 1, step: max(s.Of, 1)}
}

// take returns the next row. generator gives the generator of a round.
func (c *cursor) take(generator func(round int) *rand.Rand) map[string]string {
	n := len(c.feed.rows)
	i, round := c.next%n, c.next/n
	if c.feed.shuffle && round != c.round {
		c.order, c.round = generator(round).Perm(n), round
	}
	c.next += c.step
	if c.feed.shuffle {
		i = c.order[i]
	}
	return c.feed.rows[i]
}
