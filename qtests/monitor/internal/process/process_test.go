package process

import (
	"math"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/monitor/internal/history"
)

// gathered are the readings of now, by their names.
func gathered(t *testing.T) map[string]float64 {
	t.Helper()
	r := prometheus.NewPedanticRegistry()
	require.NoError(t, r.Register(NewCollector()))
	families, err := r.Gather()
	require.NoError(t, err)
	values := map[string]float64{}
	for _, f := range families {
		m := f.Metric[0]
		values[f.GetName()[len(history.RealPrefix):]] = m.GetGauge().GetValue() + m.GetCounter().GetValue()
	}
	return values
}

// TestCollector: the readings are those of this process.
func TestCollector(t *testing.T) {
	values := gathered(t)
	require.Len(t, values, len(readings))
	require.Greater(t, values["heap_bytes"], 1e5)
	require.GreaterOrEqual(t, values["alloc_bytes_total"], values["heap_bytes"])
	require.GreaterOrEqual(t, values["goroutines"], 2.0)
	require.Less(t, values["gc_pause_p99_seconds"], 10.0)

	ballast := make([]byte, 32<<20)
	held := gathered(t)
	require.GreaterOrEqual(t, held["memory_used_bytes"], float64(len(ballast)))
	runtime.KeepAlive(ballast)
	debug.FreeOSMemory()
	freed := gathered(t)
	require.Less(t, freed["memory_used_bytes"], held["memory_used_bytes"]-float64(16<<20), "what was given back does not count")
	require.Greater(t, freed["gc_cycles_total"], held["gc_cycles_total"])
}

// TestMemoryLimit is what GOMEMLIMIT says; where it says nothing, the memory of the machine.
func TestMemoryLimit(t *testing.T) {
	before := debug.SetMemoryLimit(-1)
	defer debug.SetMemoryLimit(before)
	debug.SetMemoryLimit(3 << 30)
	require.EqualValues(t, 3<<30, gathered(t)["memory_limit_bytes"])
	require.EqualValues(t, 3<<30, debug.SetMemoryLimit(-1), "to look changes nothing")
	debug.SetMemoryLimit(math.MaxInt64)
	require.Equal(t, machineMemory(), memoryLimit())
}

func TestMemTotal(t *testing.T) {
	for text, want := range map[string]float64{
		"MemTotal:       16318480 kB\nMemFree:  1 kB\n": 16318480 * 1024,
		"MemFree:  1 kB\nMemTotal: 2 kB":                2048,
		"MemTotal: 3":                                   3072,
		"MemTotal:\nMemTotal: many kB\n":                math.Inf(1),
		"":                                              math.Inf(1),
	} {
		require.Equal(t, want, memTotal(text), text)
	}
	require.Greater(t, machineMemory(), float64(64<<20))
	require.Equal(t, runtime.GOOS != "linux", math.IsInf(machineMemory(), 1), "Linux says how much there is")
}

// TestPercentile99 is the upper bound of the bucket of the nearest rank; of the last one, which has none, the lower.
func TestPercentile99(t *testing.T) {
	for _, c := range []struct {
		counts []uint64
		want   float64
	}{
		{[]uint64{0, 0, 0}, 0},
		{[]uint64{1, 0, 0}, 1},
		{[]uint64{99, 1, 0}, 1},
		{[]uint64{98, 2, 0}, 2},
		{[]uint64{98, 1, 1}, 2},
		{[]uint64{0, 0, 1}, 2},
		{[]uint64{98, 0, 2}, 2},
	} {
		h := &metrics.Float64Histogram{Counts: c.counts, Buckets: []float64{0, 1, 2, math.Inf(1)}}
		require.Equal(t, c.want, percentile99(h), c.counts)
	}
}
