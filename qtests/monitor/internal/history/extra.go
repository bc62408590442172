package history

import (
	"math"
	"slices"
	"sort"

	dto "github.com/prometheus/client_model/go"
)

// histogramBits marks a row whose sample is a native histogram, which is kept beside the
// values. It is as impossible to calculate as StaleBits.
const histogramBits = StaleBits + 2

var histogram = math.Float64frombits(histogramBits)

// IsHistogram reports whether v is the mark of a native histogram.
func IsHistogram(v float64) bool { return math.Float64bits(v) == histogramBits }

// An extra is what a series has beside the values, from a row on: a native histogram,
// until the next one; or an exemplar, of this row alone.
type extra struct {
	row       int
	histogram *dto.Histogram
	exemplar  *dto.Exemplar
}

// SetHistogram is Set for a native histogram, which nobody changes afterwards. One that is
// the same as the one before it takes no more than a value does.
func (st *Store) SetHistogram(s *Series, h *dto.Histogram) bool {
	if !st.Set(s, histogram) {
		return false
	}
	s.native = true
	if n := len(s.extras); n == 0 || !sameHistogram(s.extras[n-1].histogram, h) {
		s.extras = append(s.extras, extra{row: s.row, histogram: h})
	}
	return true
}

// Exemplify adds an exemplar to the newest row, unless it is the one that the series had
// last. The series has no native histograms.
func (st *Store) Exemplify(s *Series, x *dto.Exemplar) {
	if n := len(s.extras); n > 0 && sameExemplar(s.extras[n-1].exemplar, x) {
		return
	}
	_, end := st.Rows()
	s.extras = append(s.extras, extra{row: end - 1, exemplar: x})
}

// IsNative reports whether the series has, or had, native histograms.
func (s *Series) IsNative() bool { return s.native }

// Histogram returns the native histogram of a row whose value is one.
func (s *Series) Histogram(row int) *dto.Histogram {
	if i := s.extraAt(row); i >= 0 {
		return s.extras[i].histogram
	}
	return nil
}

// Exemplar returns the exemplar that first came with a row, or nil.
func (s *Series) Exemplar(row int) *dto.Exemplar {
	if i := s.extraAt(row); i >= 0 && s.extras[i].row == row {
		return s.extras[i].exemplar
	}
	return nil
}

// extraAt returns the index of the newest extra that is at most a row old, or -1.
func (s *Series) extraAt(row int) int {
	return sort.Search(len(s.extras), func(i int) bool { return s.extras[i].row > row }) - 1
}

// forget drops the extras before a row; the last of them, which a histogram may still be,
// stays.
func (s *Series) forget(row int) {
	if i := s.extraAt(row); i > 0 {
		s.extras = slices.Delete(s.extras, 0, i)
	}
}

// undo drops the extras of the newest row.
func (s *Series) undo(row int) {
	for n := len(s.extras); n > 0 && s.extras[n-1].row == row; n-- {
		s.extras = s.extras[:n-1]
	}
}

func sameExemplar(a, b *dto.Exemplar) bool {
	return a != nil && a.GetValue() == b.GetValue() && a.GetTimestamp().AsTime().Equal(b.GetTimestamp().AsTime())
}

func sameHistogram(a, b *dto.Histogram) bool {
	return a != nil && a.GetSampleCount() == b.GetSampleCount() && a.GetSampleCountFloat() == b.GetSampleCountFloat() &&
		math.Float64bits(a.GetSampleSum()) == math.Float64bits(b.GetSampleSum()) && a.GetSchema() == b.GetSchema() &&
		a.GetZeroThreshold() == b.GetZeroThreshold() && a.GetZeroCount() == b.GetZeroCount() && a.GetZeroCountFloat() == b.GetZeroCountFloat() &&
		sameSpans(a.GetPositiveSpan(), b.GetPositiveSpan()) && sameSpans(a.GetNegativeSpan(), b.GetNegativeSpan()) &&
		slices.Equal(a.GetPositiveDelta(), b.GetPositiveDelta()) && slices.Equal(a.GetNegativeDelta(), b.GetNegativeDelta()) &&
		slices.Equal(a.GetPositiveCount(), b.GetPositiveCount()) && slices.Equal(a.GetNegativeCount(), b.GetNegativeCount())
}

func sameSpans(a, b []*dto.BucketSpan) bool {
	return slices.EqualFunc(a, b, func(x, y *dto.BucketSpan) bool {
		return x.GetOffset() == y.GetOffset() && x.GetLength() == y.GetLength()
	})
}
