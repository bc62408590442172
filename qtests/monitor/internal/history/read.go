package history

import "iter"

// A Sample is a value and its instant in nanoseconds since 1970.
type Sample struct {
	At    int64
	Value float64
}

// Last returns what an instant read at the instant sees: the newest sample that is
// at most at and after at-lookback, unless it is stale.
func (st *Store) Last(s *Series, at, lookback int64) (Sample, bool) {
	return st.LastUpTo(s, st.After(at)-1, at-lookback)
}

// LastUpTo is Last for the row that is the newest one, with a sample after an instant.
func (st *Store) LastUpTo(s *Series, row int, after int64) (Sample, bool) {
	for first, _ := st.Rows(); row >= first && st.At(row) > after; row-- {
		if v := s.Value(row); !IsGap(v) {
			return Sample{st.At(row), v}, !absent(v)
		}
	}
	return Sample{}, false
}

// A part is the rows [from, to) of one block, in which the series has a column.
type part struct {
	*column
	times    *[BlockLen]int64
	from, to int
}

func (p part) sample(i int) Sample { return Sample{p.times[i], p.at(i)} }

// full reports whether no row of the column is without a sample.
func (p part) full() bool { return p.sealed && p.count == BlockLen }

// parts has the parts of the rows [lo, hi) that may have samples.
func (st *Store) parts(s *Series, lo, hi int) iter.Seq[part] {
	return func(yield func(part) bool) {
		for row := lo; row < hi; {
			b := row / BlockLen
			end := min(hi, (b+1)*BlockLen)
			c := s.column(b)
			if c != nil && !(c.sealed && c.count == 0) && !yield(part{c, &st.blocks[b-st.base].times, row - b*BlockLen, end - b*BlockLen}) {
				return
			}
			row = end
		}
	}
}

// AppendValues appends the values of the rows [lo, hi), without the stale ones.
func (st *Store) AppendValues(to []float64, s *Series, lo, hi int) []float64 {
	for p := range st.parts(s, lo, hi) {
		if p.full() && p.values != nil {
			to = append(to, p.values[p.from:p.to]...)
			continue
		}
		for i := p.from; i < p.to; i++ {
			if v := p.at(i); !absent(v) {
				to = append(to, v)
			}
		}
	}
	return to
}

// AppendSamples appends the samples of the rows [lo, hi), without the stale ones.
func (st *Store) AppendSamples(to []Sample, s *Series, lo, hi int) []Sample {
	for p := range st.parts(s, lo, hi) {
		times := p.times[p.from:p.to]
		if p.values == nil && !absent(p.same) {
			for _, at := range times {
				to = append(to, Sample{at, p.same})
			}
		}
		if p.values == nil {
			continue
		}
		for i, v := range p.values[p.from:p.to] {
			if !absent(v) {
				to = append(to, Sample{times[i], v})
			}
		}
	}
	return to
}

// A Counter is what rate needs to know about the samples of a range.
type Counter struct {
	Count       int
	First, Last Sample
	// Increase is Last-First, plus the value before every reset: the sum is
	// taken in the order in which Prometheus takes it, so that it has the same bits.
	Increase float64
}

// CounterOf reads samples as a counter; a decrease is a reset.
func CounterOf(samples []Sample) (c Counter) {
	resets := make([]float64, 0, 8)
	for _, x := range samples {
		resets = c.add(x, resets)
	}
	return c.corrected(resets)
}

// Counter is CounterOf the rows [lo, hi). What is known about a block is not read value by
// value, which makes a rate over days as cheap as one over minutes.
func (st *Store) Counter(s *Series, lo, hi int) (c Counter) {
	resets := make([]float64, 0, 8)
	for p := range st.parts(s, lo, hi) {
		whole := p.sealed && p.to-p.from == BlockLen
		switch {
		case p.decreases || !whole && !p.full():
			for i := p.from; i < p.to; i++ {
				if x := p.sample(i); !absent(x.Value) {
					resets = c.add(x, resets)
				}
			}
		case whole:
			resets = c.addRun(p.sample(p.firstAt), p.sample(p.lastAt), p.count, resets)
		default:
			resets = c.addRun(p.sample(p.from), p.sample(p.to-1), p.to-p.from, resets)
		}
	}
	return c.corrected(resets)
}

// add counts the next sample, and notes the one before it where that is a reset.
func (c *Counter) add(x Sample, resets []float64) []float64 {
	if c.Count == 0 {
		c.First = x
	} else if x.Value < c.Last.Value {
		resets = append(resets, c.Last.Value)
	}
	c.Count++
	c.Last = x
	return resets
}

// addRun counts the next n samples. None of them is below the one before it.
func (c *Counter) addRun(first, last Sample, n int, resets []float64) []float64 {
	resets = c.add(first, resets)
	c.Count += n - 1
	c.Last = last
	return resets
}

func (c Counter) corrected(resets []float64) Counter {
	c.Increase = c.Last.Value - c.First.Value
	for _, v := range resets {
		c.Increase += v
	}
	return c
}
