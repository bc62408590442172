package load

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	hdrhistogram "github.com/HdrHistogram/hdrhistogram-go"
	"github.com/stretchr/testify/require"
)

func TestHistogramAgainstSortedValues(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for range 50 {
		var h Histogram
		var all []time.Duration
		for range 1 + r.IntN(3000) {
			d := time.Duration(math.Exp(r.Float64()*25)) * time.Microsecond
			d = min(d, LongestDuration)
			h.Record(d)
			all = append(all, d)
		}
		slices.Sort(all)
		require.Equal(t, all[0], h.Min())
		require.Equal(t, all[len(all)-1], h.Max())
		for _, p := range []float64{0, 1, 50, 90, 99, 99.9, 100} {
			rank := max(int(math.Ceil(p/100*float64(len(all))-1e-9)), 1)
			want, got := all[rank-1], h.Percentile(p)
			require.GreaterOrEqual(t, got, want)
			require.LessOrEqual(t, float64(got), float64(want)*(1+1.0/1024))
			require.Contains(t, all, got, "a percentile is a value that was recorded")
		}
		text, err := json.Marshal(h)
		require.NoError(t, err)
		var again Histogram
		require.NoError(t, json.Unmarshal(text, &again))
		require.Equal(t, h, again)
		var merged Histogram
		merged.Merge(&h)
		merged.Merge(&h)
		require.Equal(t, 2*h.Count(), merged.Count())
		require.Equal(t, h.Percentile(95), merged.Percentile(95))
		require.Equal(t, h.Mean(), merged.Mean())
		require.Equal(t, h.Min(), merged.Min())
	}
}

// TestHistogramHasTheBucketsOfHDR holds the layout against the library's.
func TestHistogramHasTheBucketsOfHDR(t *testing.T) {
	hdr := hdrhistogram.New(1, LongestDuration.Microseconds(), 3)
	r := rand.New(rand.NewPCG(1, 1))
	for range 20_000 {
		v := uint64(r.Int64N(1 << (1 + r.IntN(36))))
		if v >= uint64(LongestDuration.Microseconds()) {
			continue
		}
		low := lowestOf(bucketOf(v))
		require.True(t, hdr.ValuesAreEquivalent(int64(v), int64(low)))
		require.LessOrEqual(t, low, v)
		require.Equal(t, bucketOf(v), bucketOf(low))
		if low > 0 {
			require.False(t, hdr.ValuesAreEquivalent(int64(v), int64(low-1)))
		}
	}
}

func TestRankIsExact(t *testing.T) {
	for _, tt := range []struct {
		p       float64
		n, want uint64
	}{{99.9, 1000, 999}, {99.9, 1001, 1000}, {50, 2, 1}, {50, 3, 2}, {0, 10, 1}, {100, 10, 10}, {99.99, 10_000, 9999}, {101, 5, 5}, {-1, 5, 1}, {99, math.MaxInt64, 9131138316486228049}} {
		require.Equal(t, tt.want, rankOf(tt.p, tt.n), "%v of %d", tt.p, tt.n)
	}
}

func TestHistogramRejectsBadJSON(t *testing.T) {
	for text, want := range map[string]string{
		`{"unit":"ms"}`:                                           "unit",
		`{"unit":"us","buckets":[[5,1],[4,1]]}`:                   "not in order",
		`{"unit":"us","buckets":[[5,0]]}`:                         "no valid count",
		`{"unit":"us","buckets":[[99999999999999,1]]}`:            "is over 24h",
		`{"unit":"us","buckets":[[1,9223372036854775808]]}`:       "no valid count",
		`{"unit":"us","buckets":[[1,9223372036854775807],[2,1]]}`: "no valid count",
	} {
		require.ErrorContains(t, json.Unmarshal([]byte(text), new(Histogram)), want)
	}
}

func FuzzReadResult(f *testing.F) {
	f.Add([]byte(`{"version":1,"response":{"unit":"us","sum":5,"min":5,"buckets":[[5,1]]}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := ReadResult(bytes.NewReader(text))
		if err != nil {
			return
		}
		_ = r.Text()
		first, err := r.JSON()
		require.NoError(t, err)
		again, err := ReadResult(bytes.NewReader(first))
		require.NoError(t, err)
		second, err := again.JSON()
		require.NoError(t, err)
		require.Equal(t, string(first), string(second))
	})
}

func TestReadResultErrors(t *testing.T) {
	for text, want := range map[string]string{"": "unexpected end", "{}": "has no version: it is not what Result.JSON writes",
		`{"version":2}`: "is of version 2, and this qtests reads version 1: run the scenario again", "[]": "cannot unmarshal"} {
		_, err := ReadResult(strings.NewReader(text))
		require.ErrorContains(t, err, want)
	}
}

// TestPickerKeepsSharesWithinOne checks Tijdeman's bound after every pick, and
// that a whole round is exact.
func TestPickerKeepsSharesWithinOne(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	for range 200 {
		n := 1 + r.IntN(12)
		weights := make([]int64, n)
		var sum int64
		for i := range weights {
			weights[i] = 1 + r.Int64N(1+r.Int64N(50))
			sum += weights[i]
		}
		p, counts := newPicker(weights), make([]int64, n)
		bound := 1 - 1/float64(2*max(n, 2)-2)
		for c := int64(1); c <= 3*sum; c++ {
			counts[p.pick()]++
			for i, x := range counts {
				off := float64(c*weights[i])/float64(sum) - float64(x)
				require.LessOrEqual(t, math.Abs(off), bound+1e-9, "weights %v, after %d", weights, c)
			}
			if c%sum == 0 {
				for i, x := range counts {
					require.Equal(t, c/sum*weights[i], x)
				}
			}
		}
	}
}

func TestTimelineKeepsItsSumsWhenItDoubles(t *testing.T) {
	l := newTimeline(time.Second)
	require.Equal(t, 10*time.Millisecond, l.width)
	r := rand.New(rand.NewPCG(4, 4))
	var n, inFlight int64
	at := time.Duration(0)
	for range 20_000 {
		at += time.Duration(r.Int64N(int64(time.Second)))
		l.at(at).Arrivals++
		l.start(at)
		inFlight++
		n++
		if r.IntN(3) > 0 && inFlight > 0 {
			l.finish(at).sketch.record(time.Duration(r.IntN(1e9)))
			inFlight--
		}
		require.LessOrEqual(t, len(l.points), 600)
	}
	var arrivals, started int64
	var sketched uint64
	for i, p := range l.points {
		require.Equal(t, time.Duration(i)*l.width, p.Offset)
		arrivals, started, sketched = arrivals+p.Arrivals, started+p.Started, sketched+p.sketch.total
	}
	require.Equal(t, n, arrivals)
	require.Equal(t, n, started)
	require.Equal(t, uint64(n-inFlight), sketched)
	require.GreaterOrEqual(t, l.width, at/maxPoints)
	require.Equal(t, inFlight, l.inFlight)

	l = newTimeline(time.Second)
	l.at(600*l.width - 1)
	require.Len(t, l.points, 600)
	l.at(600 * l.width)
	require.Len(t, l.points, 301, "two make one, and one more")
}

func TestSketchIsWithinItsPrecision(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	var s sketch
	var all []float64
	for range 5000 {
		d := time.Duration(math.Exp(r.Float64()*20)) * time.Microsecond
		s.record(d)
		all = append(all, float64(d))
	}
	slices.Sort(all)
	for _, p := range []float64{50, 95, 99, 100} {
		want := all[rankOf(p, uint64(len(all)))-1]
		require.InEpsilon(t, want, float64(s.percentile(p)), 1.0/32)
	}
}

func TestLifeIsAContext(t *testing.T) {
	l := &life{parent: context.Background()}
	child, cancel := context.WithTimeout(l, time.Hour)
	defer cancel()
	stopped, stopCancel := context.WithCancel(l)
	stopCancel()
	var order []int
	l.AfterFunc(func() { order = append(order, 1) })
	stop := l.AfterFunc(func() { order = append(order, 2) })
	l.AfterFunc(func() { order = append(order, 3) })
	require.True(t, stop())
	require.False(t, stop())
	require.NoError(t, child.Err())
	l.end(cancelled)
	l.end(expired)
	require.ErrorIs(t, child.Err(), context.Canceled)
	require.ErrorIs(t, l.Err(), context.Canceled)
	require.ErrorIs(t, stopped.Err(), context.Canceled)
	require.Equal(t, []int{1, 3}, order)
	<-l.Done()
	<-child.Done()
	late, cancel := context.WithCancel(l)
	defer cancel()
	require.ErrorIs(t, late.Err(), context.Canceled)
	called := make(chan bool)
	l.AfterFunc(func() { close(called) })
	<-called
	_, has := l.Deadline()
	require.False(t, has)
}

func TestQueueIsFirstComeFirstServed(t *testing.T) {
	var q queue
	var in, out int64
	r := rand.New(rand.NewPCG(6, 6))
	for range 20_000 {
		if r.IntN(2) == 0 {
			in++
			q.push(&User{id: in})
		} else if u, ok := q.pop(); ok {
			out++
			require.Equal(t, out, u.id)
		}
		require.EqualValues(t, in-out, q.size())
		require.LessOrEqual(t, len(q.waiting), 2*q.size()+130, "what was served is given back")
	}
}

func TestKindOf(t *testing.T) {
	for _, tt := range []struct {
		err  error
		want string
	}{
		{context.DeadlineExceeded, "timeout"},
		{fmt.Errorf("get: %w", context.DeadlineExceeded), "timeout"},
		{context.Canceled, "canceled"},
		{errors.New("status 503"), "status 503"},
		{errors.New("dial 127.0.0.1:54321: refused\nmore"), "dial 127.0.0.1:#: refused"},
	} {
		require.Equal(t, tt.want, KindOf(tt.err))
	}
}
