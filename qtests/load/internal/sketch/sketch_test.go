package sketch

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestSketchIsWithinItsPrecision(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	var s Sketch
	var all []float64
	for range 5000 {
		d := time.Duration(math.Exp(r.Float64()*20)) * time.Microsecond
		s.Record(d)
		all = append(all, float64(d))
	}
	slices.Sort(all)
	for _, p := range []float64{50, 95, 99, 100} {
		want := all[RankOf(p, uint64(len(all)))-1]
		require.InEpsilon(t, want, float64(s.Percentile(p)), 1.0/32)
	}
}

// TestPartsMakeTheWhole: what is counted in parts, written, read and merged, is what one counts.
func TestPartsMakeTheWhole(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 6))
	var whole, merged Sketch
	var spread, mergedSpread Spread
	parts, spreads := make([]Sketch, 7), make([]Spread, 7)
	for range 3000 {
		d, i := time.Duration(math.Exp(r.Float64()*30))*time.Microsecond, r.IntN(6) // one stays empty
		whole.Record(d)
		parts[i].Record(d)
		spread.Add(r.NormFloat64() * 0)
		x := r.NormFloat64() * 1e6
		spread.Add(x)
		spreads[i].Add(x)
		spreads[i].Add(0)
	}
	for i := range parts {
		var p Sketch
		reread(t, parts[i], &p)
		merged.Merge(&p)
		var s Spread
		reread(t, spreads[i], &s)
		mergedSpread.Merge(&s)
	}
	require.Equal(t, whole.Figures(&whole), merged.Figures(&merged))
	require.Equal(t, encoded(t, whole), encoded(t, merged))
	require.Equal(t, encoded(t, spread), encoded(t, mergedSpread))
	for _, p := range []float64{0, 50, 99, 100} {
		require.Equal(t, spread.Percentile(p), mergedSpread.Percentile(p))
	}
}

func encoded(t *testing.T, v any) string {
	b, err := json.Marshal(v)
	require.NoError(t, err)
	return string(b)
}

func reread(t *testing.T, from, into any) {
	require.NoError(t, json.Unmarshal([]byte(encoded(t, from)), into))
}

// FuzzUnmarshal: nothing that is read makes a panic later.
func FuzzUnmarshal(f *testing.F) {
	f.Add([]byte(`{"buckets":[[1,2],[64,1]],"sum":3,"max":9}`))
	f.Add([]byte(`[{"top":-1.5,"count":3}]`))
	f.Add([]byte(`{"buckets":[[99999999,1]]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		var s Sketch
		if json.Unmarshal(text, &s) == nil {
			s.Figures(&s)
			s.Merge(&s)
			s.Each(func(time.Duration, int64) {})
		}
		var d Spread
		if json.Unmarshal(text, &d) == nil {
			d.Percentile(99)
		}
	})
}
