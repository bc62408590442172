package history_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/internal/stress"
	"github.com/go-qtests/qtests/qtests/monitor/internal/history"
)

func labels(name, a string) history.Labels {
	return history.NewLabels(history.Label{Name: history.NameLabel, Value: name}, history.Label{Name: "a", Value: a})
}

// A reference is the history as maps, without blocks or limits of memory.
type reference struct {
	times  []int64
	values map[string][]float64 // per row, stale where absent
}

var stale = math.Float64frombits(history.StaleBits)

func (ref *reference) last(key string, at, lookback int64) (history.Sample, bool) {
	for i := len(ref.times) - 1; i >= 0; i-- {
		if t := ref.times[i]; t <= at {
			v := ref.values[key][i]
			return history.Sample{At: t, Value: v}, t > at-lookback && !history.IsStale(v)
		}
	}
	return history.Sample{}, false
}

// counter is rate's view computed the plain way.
func (ref *reference) counter(key string, from, to, oldest int64) (c history.Counter) {
	var resets []float64
	for i, t := range ref.times {
		v := ref.values[key][i]
		if t <= from || t > to || t < oldest || history.IsStale(v) {
			continue
		}
		s := history.Sample{At: t, Value: v}
		if c.Count == 0 {
			c.First = s
		} else if v < c.Last.Value {
			resets = append(resets, c.Last.Value)
		}
		c.Last = s
		c.Count++
	}
	c.Increase = c.Last.Value - c.First.Value
	for _, r := range resets {
		c.Increase += r
	}
	return c
}

// Random scrapes against the reference: what is read is the same for everything
// within retention, and the limits hold.
func TestStoreAgainstModel(t *testing.T) {
	for seed := range uint64(20 * stress.Factor(t)) {
		if t.Failed() {
			t.Fatalf("to repeat: seed %d of TestStoreAgainstModel", seed-1)
		}
		model(t, seed)
	}
}

func model(t *testing.T, seed uint64) {
	r := rand.New(rand.NewPCG(seed, 3))
	limits := history.Limits{Retention: int64(200+r.IntN(2000)) * 10, Samples: 100 + r.IntN(600), Series: 50}
	st := history.New(limits)
	ref := &reference{values: map[string][]float64{}}
	names := []string{"a", "b", "c", "d", "e", "f"}
	absent := map[string]int{}
	value := map[string]float64{}
	now := int64(1000)
	for range 1500 {
		now += int64(1+r.IntN(3)) * 10
		require.NoError(t, st.Begin(now))
		ref.times = append(ref.times, now)
		for _, n := range names {
			v := stale
			if absent[n] > 0 {
				absent[n]--
			} else {
				if r.IntN(50) == 0 {
					absent[n] = r.IntN(400)
				}
				switch r.IntN(20) {
				case 0:
					value[n] = 0
				case 1:
					value[n] += r.Float64()
				case 2:
					if n == "f" {
						value[n] = math.NaN()
					}
				}
				if math.IsNaN(value[n]) && r.IntN(3) == 0 {
					value[n] = 1
				}
				v = value[n]
				s, err := st.Series(labels("m", n))
				require.NoError(t, err)
				require.True(t, st.Set(s, v))
				require.False(t, st.Set(s, v+1), "a second value of one row is refused")
			}
			ref.values[n] = append(ref.values[n], v)
		}
		if r.IntN(10) > 0 {
			continue
		}
		check(t, r, st, ref, limits, now)
	}
}

func check(t *testing.T, r *rand.Rand, st *history.Store, ref *reference, limits history.Limits, now int64) {
	first, end := st.Rows()
	require.LessOrEqual(t, end-first, limits.Samples+2*history.BlockLen, "bounded")
	oldest := st.At(first)
	kept := min(limits.Retention, int64(limits.Samples)*10)
	if ref.times[0] < now-kept {
		require.LessOrEqual(t, oldest, now-kept+30, "what retention promises is there")
	}
	for _, s := range st.Select(history.Matcher{Name: history.NameLabel, Op: history.Equal, Value: "m"}) {
		key := s.Labels.Get("a")
		at := oldest + r.Int64N(now-oldest+50)
		lookback := int64(1 + r.IntN(300))
		have, ok := st.Last(s, at, lookback)
		want, wantOK := ref.last(key, at, lookback)
		require.Equal(t, wantOK, ok, "%s at %d", key, at)
		if ok {
			require.Equal(t, want.At, have.At)
			require.Equal(t, math.Float64bits(want.Value), math.Float64bits(have.Value))
		}
		from := oldest - 1 + r.Int64N(now-oldest+1)
		to := from + r.Int64N(now-from+1)
		got, expect := st.Counter(s, st.After(from), st.After(to)), ref.counter(key, from, to, oldest)
		require.Equal(t, fmt.Sprint(expect), fmt.Sprint(got), "%s in (%d, %d]", key, from, to)
	}
}

func TestStoreLimits(t *testing.T) {
	st := history.New(history.Limits{Retention: 1e12, Samples: 1000, Series: 3})
	require.NoError(t, st.Begin(10))
	for _, a := range []string{"1", "2"} {
		_, err := st.Series(labels("many", a))
		require.NoError(t, err)
	}
	_, err := st.Series(labels("one", ""))
	require.NoError(t, err)
	_, err = st.Series(labels("one", "more"))
	require.ErrorIs(t, err, history.ErrTooManySeries)
	require.EqualError(t, err, "too many series: the limit is 3, and many alone has 2")
	st.Prune()
	require.Zero(t, st.Counted(), "what never had a sample is forgotten")

	require.ErrorIs(t, st.Begin(9), history.ErrOutOfOrder)
	s, err := st.Series(labels("x", "1"))
	require.NoError(t, err)
	require.True(t, st.Set(s, 1))
	require.NoError(t, st.Begin(10), "the newest instant again")
	_, ok := st.Last(s, 10, 5)
	require.False(t, ok, "restarts its row")
	require.True(t, st.Set(s, 2))
	sample, ok := st.Last(s, 10, 5)
	require.True(t, ok)
	require.EqualValues(t, 2, sample.Value)
}

func TestSeriesIsForgotten(t *testing.T) {
	st := history.New(history.Limits{Retention: 100, Samples: 1000, Series: 3})
	require.NoError(t, st.Begin(1))
	s, err := st.Series(labels("x", "1"))
	require.NoError(t, err)
	st.Set(s, 1)
	g := st.Generation()
	for i := range int64(2 * history.BlockLen) {
		require.NoError(t, st.Begin(2+i))
	}
	require.True(t, s.Removed())
	require.NotEqual(t, g, st.Generation())
	require.Empty(t, st.Select())
}

// A week at ten seconds: at most 16 bytes a sample, and flat once retention is
// reached.
func TestMemoryPerSample(t *testing.T) {
	const series, rows = 10, 60_480
	heap := func() int64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	before := heap()
	st := history.New(history.Limits{Retention: rows * 10, Samples: rows, Series: series})
	var all []*history.Series
	row := func(i int64) {
		if err := st.Begin(i * 10); err != nil {
			t.Fatal(err)
		}
		if all == nil {
			for k := range series {
				s, err := st.Series(labels("m", strconv.Itoa(k)))
				require.NoError(t, err)
				all = append(all, s)
			}
		}
		for k, s := range all {
			st.Set(s, float64(i)+float64(k)/3)
		}
	}
	for i := range int64(rows) {
		row(i)
	}
	full := heap() - before
	perSample := float64(full) / (series * rows)
	t.Logf("%.2f bytes a sample", perSample)
	require.LessOrEqual(t, perSample, 16.0)
	for i := range int64(rows) {
		row(rows + i)
	}
	require.LessOrEqual(t, heap()-before, full+full/20, "flat")
	runtime.KeepAlive(st)
}

func TestLabels(t *testing.T) {
	ls := history.NewLabels(history.Label{Name: "b", Value: "2"}, history.Label{Name: "empty"}, history.Label{Name: history.NameLabel, Value: "m"}, history.Label{Name: "a", Value: `q"`})
	require.Equal(t, `m{a="q\"",b="2"}`, ls.String())
	require.Equal(t, `{a="q\""}`, ls.Without("b", history.NameLabel).String())
	require.Equal(t, "{}", history.Labels(nil).String())
	require.Equal(t, "m", ls.Only(history.NameLabel).String())
	require.Equal(t, ls, history.FromMap(ls.Map()))
	require.Negative(t, labels("m", "1").Compare(labels("m", "2")))
	require.NotEqual(t, history.NewLabels(history.Label{Name: "a", Value: "b"}).Key(), history.NewLabels(history.Label{Name: "ab", Value: ""}).Key())
	_, err := history.NewMatcher("a", history.Match, "(")
	require.ErrorContains(t, err, "label a")
	_, err = history.NewMatcher("a", "?", "")
	require.ErrorContains(t, err, "unknown comparison")
}
