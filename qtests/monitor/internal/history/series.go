package history

import (
	"math"
	"strings"
)

// StaleBits is the bit pattern of Prometheus' stale marker, a signalling NaN
// that no arithmetic makes.
const StaleBits uint64 = 0x7ff0000000000002

var stale = math.Float64frombits(StaleBits)

// gapBits marks a row that says nothing about the series: an instant read looks further
// back. It is as impossible to calculate as StaleBits.
const gapBits = StaleBits + 1

var gap = math.Float64frombits(gapBits)

// IsStale reports whether v is the stale marker.
func IsStale(v float64) bool { return math.Float64bits(v) == StaleBits }

// IsGap reports whether v is the mark of a row that says nothing about the series.
func IsGap(v float64) bool { return math.Float64bits(v) == gapBits }

// absent reports whether v is no number: there is no sample, or it is a native histogram.
func absent(v float64) bool {
	bits := math.Float64bits(v)
	return bits >= StaleBits && bits <= histogramBits
}

// A Series is one time series of a Store.
type Series struct {
	Labels  Labels
	key     string
	metric  *metric
	first   int       // number of the block of columns[0]
	columns []*column // of consecutive blocks; nil where the series was absent
	row     int       // the last row set, to tell a duplicate
	own     bool      // of the monitor itself: not counted against the limit
	removed bool
	native  bool
	extras  []extra // by row
	// Created is since when the metric counts, in nanoseconds since 1970; zero is unknown.
	Created int64
}

// Removed reports whether the store has dropped the series, all of whose
// samples were too old. A dropped series takes no more samples.
func (s *Series) Removed() bool { return s.removed }

// IsReal reports whether the series reads the real process.
func (s *Series) IsReal() bool { return strings.HasPrefix(s.Labels.Name(), RealPrefix) }

// A column is the values of one series in one block: values, or when that is
// nil, same in every row.
type column struct {
	values *[BlockLen]float64
	same   float64
	sealed bool
	// The rest is known once sealed, and spares a read of the values.
	count     int  // samples that are not stale
	firstAt   int  // index of the first of them
	lastAt    int  // and of the last
	decreases bool // whether any sample is below the one before it
}

func (s *Series) column(number int) *column {
	if i := number - s.first; i >= 0 && i < len(s.columns) {
		return s.columns[i]
	}
	return nil
}

func (c *column) at(i int) float64 {
	if c.values == nil {
		return c.same
	}
	return c.values[i]
}

// Value returns the value in a row that is kept, the stale marker for none.
func (s *Series) Value(row int) float64 {
	c := s.column(row / BlockLen)
	if c == nil {
		return stale
	}
	return c.at(row % BlockLen)
}

// Hold says nothing about the series in the newest row: an instant read sees its sample
// before, until Set or Release. So a rule that is evaluated before the one that writes the
// series sees what that one wrote last, and so does every rule after an evaluation that
// failed, as in Prometheus.
func (st *Store) Hold(s *Series) { st.put(s, gap) }

// Release ends Hold: what is not set afterwards is stale.
func (st *Store) Release(s *Series) {
	if _, end := st.Rows(); s.row != end-1 {
		st.put(s, stale)
	}
}

// Set writes a value into the row begun last and reports false, without writing,
// when the series already has one there.
func (st *Store) Set(s *Series, v float64) bool {
	_, end := st.Rows()
	row := end - 1
	if s.row == row {
		return false
	}
	s.row = row
	st.put(s, v)
	return true
}

// put writes into the newest row.
func (st *Store) put(s *Series, v float64) {
	_, end := st.Rows()
	row := end - 1
	number := row / BlockLen
	if len(s.columns) == 0 {
		s.first = number
	}
	for s.first+len(s.columns) <= number {
		s.columns = append(s.columns, nil)
	}
	c := s.columns[number-s.first]
	if c == nil {
		c = &column{values: st.newValues()}
		s.columns[number-s.first] = c
	}
	c.values[row%BlockLen] = v
	s.metric.writes++
}

func (st *Store) newValues() *[BlockLen]float64 {
	var v *[BlockLen]float64
	if n := len(st.freeColumns); n > 0 {
		v, st.freeColumns = st.freeColumns[n-1], st.freeColumns[:n-1]
	} else {
		v = new([BlockLen]float64)
	}
	for i := range v {
		v[i] = stale
	}
	return v
}

func (st *Store) release(c *column) {
	// A free list without bound would keep the memory of one big scrape for ever.
	if c != nil && c.values != nil && len(st.freeColumns) <= len(st.byKey) {
		st.freeColumns = append(st.freeColumns, c.values)
	}
}

// clearRow makes every series stale in the newest row.
func (st *Store) clearRow() {
	_, end := st.Rows()
	row := end - 1
	for _, s := range st.byKey {
		if c := s.column(row / BlockLen); c != nil {
			c.values[row%BlockLen] = stale
		}
		if s.row == row {
			s.row = -1
		}
		s.undo(row)
	}
}

// seal records what is known about a full column and shrinks it when all its
// values are one.
func (st *Store) seal(c *column) {
	c.sealed = true
	c.firstAt = -1
	same := true
	previous := math.NaN()
	for i, v := range c.values {
		same = same && math.Float64bits(v) == math.Float64bits(c.values[0])
		if absent(v) {
			continue
		}
		if c.firstAt < 0 {
			c.firstAt = i
		}
		c.count++
		c.lastAt = i
		c.decreases = c.decreases || v < previous
		previous = v
	}
	if same {
		c.same = c.values[0]
		st.release(c)
		c.values = nil
	}
}
