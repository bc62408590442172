package history

import (
	"errors"
	"fmt"
	"slices"
	"sort"
)

// BlockLen is the number of rows in a block.
const BlockLen = 128

// Limits bound a Store.
type Limits struct {
	// Retention is how far back, in nanoseconds, rows are kept for certain.
	Retention int64
	// Samples is how many rows are kept at most, rounded up to whole blocks plus
	// the one being filled.
	Samples int
	// Series is how many series exist at most, without those made by Own.
	Series int
}

// ErrTooManySeries is what a *LimitError unwraps to.
var ErrTooManySeries = errors.New("too many series")

// ErrOutOfOrder is returned for a row before the newest one.
var ErrOutOfOrder = errors.New("out of order")

// A LimitError says which metric has most of the series.
type LimitError struct {
	Limit  int
	Metric string // the metric with the most series
	Count  int    // how many it has
}

func (e *LimitError) Error() string {
	return fmt.Sprintf("%v: the limit is %d, and %s alone has %d", ErrTooManySeries, e.Limit, e.Metric, e.Count)
}

func (e *LimitError) Unwrap() error { return ErrTooManySeries }

// A Store is the history.
type Store struct {
	limits Limits
	blocks []*block // oldest first; all but the last are full
	base   int      // number of blocks[0], counted from the first ever
	byKey  map[string]*Series
	byName map[string]*metric
	// generation counts how often a series came or went.
	generation  uint64
	begun       uint64 // how many rows
	own         int    // how many series Own made
	freeBlocks  []*block
	freeColumns []*[BlockLen]float64
}

// A metric is the series of one name.
type metric struct {
	series []*Series
	// generation is Store.generation when one of them came or went last.
	generation uint64
	writes     uint64 // into all of them
}

type block struct {
	n     int
	times [BlockLen]int64
}

// New returns an empty store.
func New(limits Limits) *Store {
	return &Store{limits: limits, byKey: map[string]*Series{}, byName: map[string]*metric{}}
}

// Begin starts the row of an instant, in which every series is stale until Set.
// The newest instant again restarts its row.
func (st *Store) Begin(at int64) error {
	st.begun++
	if newest, ok := st.Newest(); ok {
		if at < newest {
			return fmt.Errorf("%w: %d is %d ns before the newest scrape", ErrOutOfOrder, at, newest-at)
		}
		if at == newest {
			st.clearRow()
			return nil
		}
	}
	last := st.lastBlock()
	if last == nil || last.n == BlockLen {
		last = st.extend()
	}
	last.times[last.n] = at
	last.n++
	st.trim(at)
	return nil
}

func (st *Store) lastBlock() *block {
	if len(st.blocks) == 0 {
		return nil
	}
	return st.blocks[len(st.blocks)-1]
}

// extend seals the last block and appends an empty one.
func (st *Store) extend() *block {
	if len(st.blocks) > 0 {
		number := st.base + len(st.blocks) - 1
		for _, s := range st.byKey {
			if c := s.column(number); c != nil {
				st.seal(c)
			}
		}
	}
	b := &block{}
	if n := len(st.freeBlocks); n > 0 {
		b, st.freeBlocks = st.freeBlocks[n-1], st.freeBlocks[:n-1]
		*b = block{}
	}
	st.blocks = append(st.blocks, b)
	return b
}

// trim drops the blocks that no limit asks to keep.
func (st *Store) trim(now int64) {
	for len(st.blocks) > 1 {
		oldest := st.blocks[0]
		tooOld := oldest.times[oldest.n-1] <= now-st.limits.Retention
		tooMany := (len(st.blocks)-2)*BlockLen+st.lastBlock().n >= st.limits.Samples
		if !tooOld && !tooMany {
			return
		}
		st.dropOldest()
	}
}

func (st *Store) dropOldest() {
	st.freeBlocks = append(st.freeBlocks, st.blocks[0])
	st.blocks = slices.Delete(st.blocks, 0, 1)
	for _, s := range st.byKey {
		if s.first == st.base && len(s.columns) > 0 {
			st.release(s.columns[0])
			s.columns = slices.Delete(s.columns, 0, 1)
			s.first++
		}
		s.forget((st.base + 1) * BlockLen)
		if len(s.columns) == 0 {
			st.remove(s)
		}
	}
	st.base++
}

func (st *Store) remove(s *Series) {
	st.generation++
	s.removed = true
	if s.own {
		st.own--
	}
	delete(st.byKey, s.key)
	name := s.Labels.Name()
	m := st.byName[name]
	m.generation = st.generation
	m.series = slices.DeleteFunc(m.series, func(x *Series) bool { return x == s })
	if len(m.series) == 0 {
		delete(st.byName, name)
	}
}

// Counted returns the number of series without those made by Own.
func (st *Store) Counted() int { return len(st.byKey) - st.own }

// Generation changes whenever a series comes or goes that the matchers may choose: they can
// keep what they chose until then.
func (st *Store) Generation(matchers ...Matcher) uint64 {
	if name, ok := nameOf(matchers); ok {
		return st.metric(name).generation
	}
	return st.generation
}

// Version returns a number that is the same only as long as no read of the metrics gives
// anything else: a count of the rows and of the writes into the metrics. Series go with a
// row, and those that come have no samples before a write.
func (st *Store) Version(names []string) uint64 {
	sum := st.begun
	for _, name := range names {
		sum += st.metric(name).writes
	}
	return sum
}

// metric returns the series of a name, which may have none.
func (st *Store) metric(name string) *metric {
	if m, ok := st.byName[name]; ok {
		return m
	}
	return &metric{}
}

// Rows returns the absolute numbers of the rows kept: [first, end).
func (st *Store) Rows() (first, end int) {
	if len(st.blocks) == 0 {
		return 0, 0
	}
	return st.base * BlockLen, (st.base+len(st.blocks)-1)*BlockLen + st.lastBlock().n
}

// Newest returns the instant of the newest row.
func (st *Store) Newest() (at int64, ok bool) {
	b := st.lastBlock()
	if b == nil || b.n == 0 {
		return 0, false
	}
	return b.times[b.n-1], true
}

// At returns the instant of a row that is kept.
func (st *Store) At(row int) int64 {
	return st.blocks[row/BlockLen-st.base].times[row%BlockLen]
}

// After returns the first row whose instant is after at, which is the end of the
// rows if there is none.
func (st *Store) After(at int64) int {
	first, end := st.Rows()
	if newest, ok := st.Newest(); !ok || newest <= at {
		return end
	}
	return first + sort.Search(end-first, func(i int) bool { return st.At(first+i) > at })
}

// Select returns the series that every matcher chooses, sorted by labels.
func (st *Store) Select(matchers ...Matcher) []*Series {
	var out []*Series
	add := func(s *Series) {
		for _, m := range matchers {
			if !m.Matches(s.Labels.Get(m.Name)) {
				return
			}
		}
		out = append(out, s)
	}
	if name, ok := nameOf(matchers); ok {
		for _, s := range st.metric(name).series {
			add(s)
		}
	} else {
		for _, s := range st.byKey {
			add(s)
		}
	}
	slices.SortFunc(out, func(a, b *Series) int { return a.Labels.Compare(b.Labels) })
	return out
}

func nameOf(matchers []Matcher) (string, bool) {
	for _, m := range matchers {
		if m.Name == NameLabel && m.Op == Equal {
			return m.Value, true
		}
	}
	return "", false
}

// Series returns the series with the labels, made if it is new. The error is a
// *LimitError.
func (st *Store) Series(labels Labels) (*Series, error) {
	if s, ok := st.byKey[labels.Key()]; ok {
		return s, nil
	}
	if len(st.byKey)-st.own >= st.limits.Series {
		return nil, st.limitError()
	}
	return st.add(labels), nil
}

// Own returns the series with the labels, made if it is new, beyond the limit: one that
// the monitor writes about what it does.
func (st *Store) Own(labels Labels) *Series {
	if s, ok := st.byKey[labels.Key()]; ok {
		return s
	}
	s := st.add(labels)
	s.own = true
	st.own++
	return s
}

func (st *Store) add(labels Labels) *Series {
	st.generation++
	s := &Series{Labels: labels, key: labels.Key(), first: st.base + max(0, len(st.blocks)-1), row: -1}
	st.byKey[s.key] = s
	m := st.metric(labels.Name())
	st.byName[labels.Name()] = m
	m.series, m.generation = append(m.series, s), st.generation
	s.metric = m
	return s
}

func (st *Store) limitError() error {
	e := &LimitError{Limit: st.limits.Series}
	for name, m := range st.byName {
		if n := len(m.series); n > e.Count || n == e.Count && name < e.Metric {
			e.Metric, e.Count = name, n
		}
	}
	return e
}

// Prune removes the series that never had a sample: those made for a scrape that
// then failed.
func (st *Store) Prune() {
	for _, s := range st.byKey {
		if s.row < 0 && len(s.columns) == 0 {
			st.remove(s)
		}
	}
}
