package history_test

import (
	"fmt"
	"math"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/monitor/internal/history"
)

// rows begins so many rows, ten apart from the one after the newest on, and sets a series in each that has a value.
func rows(t *testing.T, st *history.Store, s *history.Series, n int, value func(row int) (float64, bool)) {
	t.Helper()
	for range n {
		_, row := st.Rows()
		require.NoError(t, st.Begin(int64(row)*10))
		if v, ok := value(row); ok {
			require.True(t, st.Set(s, v))
		}
	}
}

func always(v float64) func(int) (float64, bool) { return func(int) (float64, bool) { return v, true } }

func never(int) (float64, bool) { return 0, false }

func unlimited() *history.Store {
	return history.New(history.Limits{Retention: math.MaxInt64 / 2, Samples: 1 << 20, Series: 100})
}

// made returns a series that is new.
func made(t *testing.T, st *history.Store, name, a string) *history.Series {
	t.Helper()
	s, err := st.Series(labels(name, a))
	require.NoError(t, err)
	return s
}

// However a block is kept, what is read of it is what was written.
func TestBlocksAreReadAlike(t *testing.T) {
	const last = 3*history.BlockLen + 5
	for name, value := range map[string]func(row int) (float64, bool){
		"constant": always(7), "rises": func(row int) (float64, bool) { return float64(row), true }, "falls": func(row int) (float64, bool) { return float64(-row), true },
		"stairs": func(row int) (float64, bool) { return float64(row / history.BlockLen), true }, "resets": func(row int) (float64, bool) { return float64(row % 50), true },
		"gaps": func(row int) (float64, bool) { return float64(row), row%7 != 0 }, "constant with gaps": func(row int) (float64, bool) { return 7, row%history.BlockLen != 3 },
		"one block": func(row int) (float64, bool) { return 7, row/history.BlockLen == 1 }, "none": never,
	} {
		st := unlimited()
		s := made(t, st, "x", "1")
		rows(t, st, s, last, value)
		for _, lo := range []int{0, 1, history.BlockLen - 1, history.BlockLen, history.BlockLen + 1} {
			for _, hi := range []int{lo + 1, history.BlockLen + 2, 2*history.BlockLen - 1, 2 * history.BlockLen, 2*history.BlockLen + 1, last} {
				var samples []history.Sample
				var values []float64
				for row := lo; row < hi; row++ {
					if v, ok := value(row); ok {
						samples, values = append(samples, history.Sample{At: int64(row) * 10, Value: v}), append(values, v)
					}
				}
				at := fmt.Sprintf("%s from %d to %d", name, lo, hi)
				require.Equal(t, values, st.AppendValues(nil, s, lo, hi), at)
				require.Equal(t, samples, st.AppendSamples(nil, s, lo, hi), at)
				require.Equal(t, history.CounterOf(samples), st.Counter(s, lo, hi), at)
			}
		}
	}
}

// The newest instant again begins its row anew, in any block.
func TestARowBegunAnew(t *testing.T) {
	for _, n := range []int{1, 2, history.BlockLen, history.BlockLen + 3} {
		st := unlimited()
		s, h := made(t, st, "x", "1"), made(t, st, "h", "1")
		rows(t, st, s, n-1, always(7))
		count := uint64(1)
		if n > 1 {
			require.True(t, st.SetHistogram(h, &dto.Histogram{SampleCount: &count}))
		}
		rows(t, st, s, 1, always(8))
		two, three := uint64(2), 3.0
		require.True(t, st.SetHistogram(h, &dto.Histogram{SampleCount: &two}))
		st.Exemplify(s, &dto.Exemplar{Value: &three})
		require.False(t, st.Set(s, 9), "a duplicate")
		require.NotNil(t, s.Exemplar(n-1))
		version := st.Version([]string{"x"})
		newest, _ := st.Newest()
		require.NoError(t, st.Begin(newest))
		require.NotEqual(t, version, st.Version([]string{"x"}))
		require.True(t, history.IsStale(s.Value(n-1)))
		require.Nil(t, s.Exemplar(n-1))
		if n > 1 {
			require.EqualValues(t, 1, h.Histogram(n-1).GetSampleCount(), "the one before")
			require.InDelta(t, 7, s.Value(n-2), 0)
		} else {
			require.Nil(t, h.Histogram(0))
		}
		require.True(t, st.Set(s, 9))
		require.InDelta(t, 9, s.Value(n-1), 0)
		require.ErrorContains(t, st.Begin(newest-30), fmt.Sprintf("%d is 30 ns before the newest scrape", newest-30))
	}
}

// A series that is held is as it was before, until it is set or released.
func TestHold(t *testing.T) {
	st := unlimited()
	s := made(t, st, "x", "1")
	rows(t, st, s, 1, always(7))
	rows(t, st, s, 1, never)
	st.Hold(s)
	before, ok := st.Last(s, 10, 100)
	require.True(t, ok)
	require.Equal(t, history.Sample{At: 0, Value: 7}, before)
	st.Release(s)
	_, ok = st.Last(s, 10, 100)
	require.False(t, ok)
	rows(t, st, s, 1, never)
	st.Hold(s)
	require.True(t, st.Set(s, 8))
	st.Release(s)
	now, ok := st.Last(s, 20, 100)
	require.True(t, ok)
	require.InDelta(t, 8, now.Value, 0)
	_, ok = st.Last(s, 30, 10)
	require.False(t, ok, "open on the left")
}

// A block goes with the row at which a limit no longer asks for it.
func TestWhenABlockGoes(t *testing.T) {
	for _, c := range []struct {
		limits history.Limits
		kept   int // rows after which all are still there
	}{
		{history.Limits{Retention: math.MaxInt64 / 2, Samples: 5, Series: 9}, history.BlockLen + 4},
		{history.Limits{Retention: math.MaxInt64 / 2, Samples: history.BlockLen + 5, Series: 9}, 2*history.BlockLen + 4},
		{history.Limits{Retention: 200, Samples: 1 << 20, Series: 9}, history.BlockLen + 19},
	} {
		st := history.New(c.limits)
		s, silent := made(t, st, "x", "1"), made(t, st, "silent", "1")
		rows(t, st, s, c.kept, always(7))
		first, end := st.Rows()
		require.Equal(t, []int{0, c.kept}, []int{first, end})
		require.False(t, silent.Removed())
		rows(t, st, s, 1, always(7))
		first, end = st.Rows()
		require.Equal(t, []int{history.BlockLen, c.kept + 1}, []int{first, end})
		require.True(t, silent.Removed())
		require.False(t, s.Removed())
		require.InDelta(t, 7, s.Value(history.BlockLen), 0)
	}
}

// What changes with the series and with what is written.
func TestGenerationsAndVersions(t *testing.T) {
	st := unlimited()
	seen := map[uint64]bool{}
	differs := func() {
		t.Helper()
		require.False(t, seen[st.Generation()], "a generation comes again")
		seen[st.Generation()] = true
	}
	differs()
	for i := range 3 {
		made(t, st, "x", fmt.Sprint(i))
		differs()
		st.Prune()
		differs()
	}
	s := made(t, st, "x", "1")
	seen = map[uint64]bool{}
	for range 4 {
		for range 2 { // a row, and a write into it
			require.False(t, seen[st.Version([]string{"x"})])
			seen[st.Version([]string{"x"})] = true
			if _, end := st.Rows(); end == 0 || !st.Set(s, 1) {
				rows(t, st, s, 1, never)
			}
		}
	}
	own := st.Own(labels("own", "1"))
	require.Same(t, own, st.Own(labels("own", "1")))
	require.Equal(t, 1, st.Counted())
	st.Prune()
	require.True(t, own.Removed())
	require.Equal(t, 1, st.Counted())
}

// The metric with most of the series is named, the first of equal ones.
func TestLimitOfSeries(t *testing.T) {
	for range 20 { // maps have no order
		st := history.New(history.Limits{Retention: 1000, Samples: 10, Series: 6})
		for _, name := range []string{"y", "x", "z", "y", "x", "w"} {
			made(t, st, name, fmt.Sprint(st.Counted()))
		}
		_, err := st.Series(labels("v", "1"))
		require.Equal(t, &history.LimitError{Limit: 6, Metric: "x", Count: 2}, err)
	}
}

func TestSelectByWhateverLabel(t *testing.T) {
	st := unlimited()
	for _, name := range []string{"x", "y", "1"} {
		made(t, st, name, "1")
		made(t, st, name, "2")
	}
	chosen := func(name string, op history.Op, value string) int {
		m, err := history.NewMatcher(name, op, value)
		require.NoError(t, err)
		return len(st.Select(m))
	}
	require.Equal(t, 3, chosen("a", history.Equal, "1"))
	require.Equal(t, 2, chosen(history.NameLabel, history.Equal, "x"))
	require.Equal(t, 4, chosen(history.NameLabel, history.NotEqual, "x"))
}

// Of native histograms there are no values.
func TestHistogramsAreNoValues(t *testing.T) {
	st := unlimited()
	s := made(t, st, "h", "1")
	require.NoError(t, st.Begin(0))
	require.True(t, st.SetHistogram(s, &dto.Histogram{}))
	require.True(t, history.IsHistogram(s.Value(0)))
	require.Empty(t, st.AppendValues(nil, s, 0, 1))
	require.Empty(t, st.AppendSamples(nil, s, 0, 1))
	require.Zero(t, st.Counter(s, 0, 1).Count)
}

// What follows from a label set is made once, and forgotten when there are too many.
func TestDerived(t *testing.T) {
	var d history.Derived[int]
	calls := 0
	of := func(ls history.Labels) int { return d.Of(ls, func(history.Labels) int { calls++; return calls }) }
	require.Equal(t, 1, of(nil))
	require.Equal(t, 2, of(nil), "no labels have no identity")
	first := labels("x", "first")
	require.Equal(t, 3, of(first))
	for i := range history.MaxDerived - 1 {
		of(labels("x", fmt.Sprint(i)))
	}
	require.Equal(t, 3, of(first))
	require.Equal(t, history.MaxDerived+3, of(labels("x", "more")))
	require.Equal(t, history.MaxDerived+4, of(first))
	require.Equal(t, history.MaxDerived+4, of(first))
}
