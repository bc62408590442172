// Package rows reads tables of text: CSV, and JSON objects. Each row is a map from the name of a column to its value.
package rows

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/go-qtests/qtests/internal/plaintext"
)

// CSV reads rows of CSV (RFC 4180) up to a number of rows, and of bytes of
// text after gzip is unpacked and UTF-16 is turned into UTF-8. The first row names the columns. Errors name file and the line.
func CSV(file string, r io.Reader, rows int, bytes int64) ([]map[string]string, error) {
	return newReader(file, r, rows, bytes).csv()
}

// JSON reads objects, one after the other or in one array, within the limits of CSV. Errors name file, and the line
// that is no JSON or the row that is no such object.
func JSON(file string, r io.Reader, rows int, bytes int64) ([]map[string]string, error) {
	return newReader(file, r, rows, bytes).json()
}

// A reader reads one table within limits.
type reader struct {
	file  string
	in    *io.LimitedReader
	rows  int
	bytes int64
	out   []map[string]string
}

func newReader(file string, r io.Reader, rows int, bytes int64) *reader {
	limited := &io.LimitedReader{R: plaintext.NewReader(r), N: bytes + 1}
	return &reader{file: file, in: limited, rows: rows, bytes: bytes}
}

func (r *reader) csv() ([]map[string]string, error) {
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

func (r *reader) json() ([]map[string]string, error) {
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
				return nil, r.fail("row %d: %w", len(r.out)+1, err)
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

func (r *reader) add(row map[string]string) error {
	if len(r.out) == r.rows {
		return r.fail("more than %d rows", r.rows)
	}
	r.out = append(r.out, row)
	return nil
}

func (r *reader) ready() ([]map[string]string, error) {
	switch {
	case r.in.N <= 0:
		return nil, r.fail("")
	case len(r.out) == 0:
		return nil, r.fail("there are no rows")
	}
	return r.out, nil
}

// fail returns an error of the feed. If the limit has cut the input off, that is the error: the rest
// cannot be parsed because of it.
func (r *reader) fail(format string, args ...any) error {
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
