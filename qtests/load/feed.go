package load

import (
	"io"
	"math/rand/v2"

	"github.com/go-qtests/qtests/qtests/internal/share"
	"github.com/go-qtests/qtests/qtests/load/internal/rows"
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
	return newFeed(rows.CSV(file, r, MaxFeedRows, MaxFeedBytes))
}

// JSONFeed reads objects, one after the other or in one array. Their values are strings, numbers,
// truth values or null; null is read as "". Errors name file, and the line that is no JSON or the row
// that is no such object.
func JSONFeed(file string, r io.Reader) (*Feed, error) {
	return newFeed(rows.JSON(file, r, MaxFeedRows, MaxFeedBytes))
}

func newFeed(rows []map[string]string, err error) (*Feed, error) {
	if err != nil {
		return nil, err
	}
	return &Feed{rows: rows}, nil
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
