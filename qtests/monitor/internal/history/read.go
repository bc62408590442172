package history

import "math"

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

// Each calls f for the samples of the rows [lo, hi), without the stale ones.
func (st *Store) Each(s *Series, lo, hi int, f func(Sample)) {
	for row := lo; row < hi; {
		b := row / BlockLen
		end := min(hi, (b+1)*BlockLen)
		c := s.column(b)
		if c == nil || c.sealed && c.count == 0 {
			row = end
			continue
		}
		times := &st.blocks[b-st.base].times
		for ; row < end; row++ {
			if v := c.at(row % BlockLen); !absent(v) {
				f(Sample{times[row%BlockLen], v})
			}
		}
	}
}

// A Counter is what rate needs to know about the samples of a range.
type Counter struct {
	Count       int
	First, Last Sample
	// Increase is Last-First, plus the value before every reset: the sum is
	// taken in the order in which Prometheus takes it, so that it has the same bits.
	Increase float64
}

// CounterOf reads samples as a counter.
func CounterOf(samples []Sample) Counter {
	var c Counter
	var resets []float64
	for i, x := range samples {
		if i == 0 {
			c.First = x
		} else if x.Value < samples[i-1].Value {
			resets = append(resets, samples[i-1].Value)
		}
		c.Count++
		c.Last = x
	}
	c.Increase = c.Last.Value - c.First.Value
	for _, v := range resets {
		c.Increase += v
	}
	return c
}

// Counter reads the rows [lo, hi) as a counter; a decrease is a reset. Whole blocks
// without a reset are not read value by value, which makes a rate over days as
// cheap as one over minutes.
func (st *Store) Counter(s *Series, lo, hi int) Counter {
	var c Counter
	resets := make([]float64, 0, 8)
	previous := math.NaN()
	add := func(x Sample) {
		if c.Count == 0 {
			c.First = x
		} else if x.Value < previous {
			resets = append(resets, previous)
		}
		c.Count++
		c.Last = x
		previous = x.Value
	}
	for row := lo; row < hi; {
		b := row / BlockLen
		end := min(hi, (b+1)*BlockLen)
		col := s.column(b)
		whole := row%BlockLen == 0 && end-row == BlockLen
		if col != nil && whole && col.sealed && col.count > 0 && !col.decreases {
			times := &st.blocks[b-st.base].times
			add(Sample{times[col.firstAt], col.at(col.firstAt)})
			c.Count += col.count - 1
			c.Last = Sample{times[col.lastAt], col.lastValue}
			previous = col.lastValue
		} else {
			st.Each(s, row, end, add)
		}
		row = end
	}
	c.Increase = c.Last.Value - c.First.Value
	for _, v := range resets {
		c.Increase += v
	}
	return c
}
