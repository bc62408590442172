package load

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
)

// Limits of feeds.
const (
	// MaxFeedRows is how many rows a feed may have.
	MaxFeedRows = 1_000_000
	// MaxFeedBytes is how many bytes of input are read for one.
	MaxFeedBytes = 256 << 20
)

// A Feed is rows of data that requests take one after the other, from the first
// again after the last. It is safe for concurrent use; under a fake clock the
// order in which requests take rows is the same for every run.
type Feed struct {
	rows    []map[string]string
	shuffle bool

	mu struct {
		sync.Mutex
		order []int
		next  int
	}
}

// CSVFeed reads rows of CSV (RFC 4180), the first of which names the columns.
// file is the name that errors show, beside the line. A row may be of any
// length within MaxFeedBytes.
func CSVFeed(file string, r io.Reader) (*Feed, error) {
	limited := &io.LimitedReader{R: r, N: MaxFeedBytes + 1}
	in := csv.NewReader(limited)
	in.ReuseRecord = true
	head, err := in.Read()
	if err != nil {
		return nil, fmt.Errorf("load: feed %s: no line with the names of the columns: %w", file, err)
	}
	names := append([]string(nil), head...)
	f := &Feed{}
	for {
		record, err := in.Read()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("load: feed %s: %w", file, err) // names the line
		}
		row := make(map[string]string, len(names))
		for i, name := range names {
			row[name] = record[i]
		}
		if err := f.add(file, row); err != nil {
			return nil, err
		}
	}
	return f.ready(file, limited)
}

// JSONFeed reads objects, one after the other or in one array. Their values may
// be strings, numbers, truth values and null; null is "".
func JSONFeed(file string, r io.Reader) (*Feed, error) {
	limited := &io.LimitedReader{R: r, N: MaxFeedBytes + 1}
	in := json.NewDecoder(limited)
	in.UseNumber()
	f := &Feed{}
	for {
		var value any
		if err := in.Decode(&value); err == io.EOF {
			break
		} else if err != nil {
			return nil, fmt.Errorf("load: feed %s: byte %d: %w", file, in.InputOffset(), err)
		}
		values, isArray := value.([]any)
		if !isArray {
			values = []any{value}
		}
		for _, v := range values {
			row, err := jsonRow(v)
			if err != nil {
				return nil, fmt.Errorf("load: feed %s: row %d: %w", file, len(f.rows)+1, err)
			}
			if err := f.add(file, row); err != nil {
				return nil, err
			}
		}
	}
	return f.ready(file, limited)
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

func (f *Feed) add(file string, row map[string]string) error {
	if len(f.rows) == MaxFeedRows {
		return fmt.Errorf("load: feed %s: more than %d rows", file, MaxFeedRows)
	}
	f.rows = append(f.rows, row)
	return nil
}

func (f *Feed) ready(file string, in *io.LimitedReader) (*Feed, error) {
	switch {
	case in.N <= 0:
		return nil, fmt.Errorf("load: feed %s: longer than %d bytes", file, MaxFeedBytes)
	case len(f.rows) == 0:
		return nil, fmt.Errorf("load: feed %s: there are no rows", file)
	}
	return f, nil
}

// Shuffled returns a feed of the same rows in an order that the run's seed
// decides, another one in every round.
func (f *Feed) Shuffled() *Feed { return &Feed{rows: f.rows, shuffle: true} }

// Len is the number of rows.
func (f *Feed) Len() int { return len(f.rows) }

// take returns the next row. gen gives the generator of a round.
func (f *Feed) take(gen func(round int) *rand.Rand) map[string]string {
	f.mu.Lock()
	defer f.mu.Unlock()
	i, n := f.mu.next%len(f.rows), len(f.rows)
	if f.shuffle && i == 0 {
		f.mu.order = gen(f.mu.next / n).Perm(n)
	}
	f.mu.next++
	if f.shuffle {
		i = f.mu.order[i]
	}
	return f.rows[i]
}

// Row takes the next row of a feed of the scenario. The map is shared and must
// not be changed. An unknown name panics, with those that are near.
func (u *User) Row(name string) map[string]string {
	f := u.run.feeds[name]
	if f == nil {
		panic("load: " + unknown("feed", name, sortedKeys(u.run.feeds)).Error())
	}
	return f.take(func(round int) *rand.Rand { return u.run.users.Sub("feed " + name).At(uint64(round)) })
}
