package history_test

import (
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/monitor/internal/history"
)

func TestMatchers(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		op         history.Op
		value      string
		yes, no    []string
	}{
		{"a", `a="b"`, history.Equal, "b", []string{"b"}, []string{"", "bb", "B"}},
		{"a", `a!="b"`, history.NotEqual, "b", []string{"", "bb"}, []string{"b"}},
		{"a", `a=~"b.*"`, history.Match, "b.*", []string{"b", "bc", "b\nc"}, []string{"", "ab"}},
		{"a", `a!~"b|c"`, history.NotMatch, "b|c", []string{"", "bc", "xc"}, []string{"b", "c"}},
		{"a label", `"a label"="q\""`, history.Equal, `q"`, []string{`q"`}, []string{"q"}},
	} {
		m, err := history.NewMatcher(tt.name, tt.op, tt.value)
		require.NoError(t, err)
		require.Equal(t, tt.text, m.String())
		for _, v := range tt.yes {
			require.True(t, m.Matches(v), "%s: %q", tt.text, v)
		}
		for _, v := range tt.no {
			require.False(t, m.Matches(v), "%s: %q", tt.text, v)
		}
	}
}

func TestLabelsWithAndWithoutNames(t *testing.T) {
	ls := labels("m", "1")
	require.Equal(t, `m{a="2"}`, ls.With("a", "2").String())
	require.Equal(t, `m{a="1",b="2"}`, ls.With("b", "2").String())
	require.Equal(t, "m", ls.With("a", "").String())
	require.Equal(t, `m{a="1"}`, ls.String(), "it is a copy")
	require.Equal(t, `{"a metric","a label"="1"}`, labels("a metric", "").With("a label", "1").String())
	require.Equal(t, `{"a metric"}`, labels("a metric", "").String())
	require.Positive(t, ls.With("b", "1").Compare(ls), "the shorter comes first")
	require.Negative(t, ls.Compare(ls.With("b", "1")))
	require.Zero(t, ls.Compare(labels("m", "1")))
	require.Positive(t, history.NewLabels(history.Label{Name: "b", Value: "1"}).Compare(history.NewLabels(history.Label{Name: "a", Value: "2"})))
}

// TestOwnSeriesAreBeyondTheLimit: what the monitor writes of itself takes no place of a series that is scraped.
func TestOwnSeriesAreBeyondTheLimit(t *testing.T) {
	st := history.New(history.Limits{Retention: 100, Samples: 1000, Series: 1})
	require.NoError(t, st.Begin(1))
	for _, a := range []string{"1", "2", "1"} {
		s := st.Own(labels("own", a))
		st.Set(s, 1)
		require.Zero(t, st.Counted())
	}
	s, err := st.Series(labels("scraped", "1"))
	require.NoError(t, err)
	st.Set(s, 1)
	require.Equal(t, 1, st.Counted())
	_, err = st.Series(labels("scraped", "2"))
	require.ErrorIs(t, err, history.ErrTooManySeries)
	require.Len(t, st.Select(), 3)
}

// histogramOf is one with a bucket.
func histogramOf(count uint64) *dto.Histogram {
	return &dto.Histogram{SampleCount: new(count), SampleSum: new(float64(1)), Schema: new(int32(1)), PositiveDelta: []int64{int64(count)},
		PositiveSpan: []*dto.BucketSpan{{Offset: new(int32(1)), Length: new(uint32(1))}}}
}

// TestHistogramsAndExemplarsOfRows: a histogram holds until the next one, an exemplar for its row alone.
func TestHistogramsAndExemplarsOfRows(t *testing.T) {
	st := history.New(history.Limits{Retention: 100, Samples: 1000, Series: 3})
	plain, err := st.Series(labels("plain", "1"))
	require.NoError(t, err)
	s, err := st.Series(labels("native", "1"))
	require.NoError(t, err)
	first, second := histogramOf(3), histogramOf(4)
	x, again, y := &dto.Exemplar{Value: new(float64(7))}, &dto.Exemplar{Value: new(float64(7))}, &dto.Exemplar{Value: new(float64(8))}
	for i, h := range []*dto.Histogram{nil, first, histogramOf(3), second} {
		require.NoError(t, st.Begin(int64(1+i)))
		require.True(t, st.Set(plain, float64(i)))
		if h != nil {
			require.True(t, st.SetHistogram(s, h))
			require.False(t, st.SetHistogram(s, second), "there is one in this row")
		}
		if exemplar := []*dto.Exemplar{nil, x, again, y}[i]; exemplar != nil {
			st.Exemplify(plain, exemplar)
		}
	}
	require.True(t, s.IsNative())
	require.False(t, plain.IsNative())
	for row, want := range []*dto.Exemplar{nil, x, nil, y} {
		require.Same(t, want, plain.Exemplar(row), row)
		require.Nil(t, plain.Histogram(row))
		require.Nil(t, s.Exemplar(row))
	}
	for row, want := range []*dto.Histogram{nil, first, first, second} {
		require.Same(t, want, s.Histogram(row), row)
	}
	require.True(t, history.IsHistogram(s.Value(1)))
	require.False(t, history.IsHistogram(plain.Value(1)))
	require.False(t, history.IsStale(s.Value(1)))
	require.False(t, history.IsGap(s.Value(1)))
}
