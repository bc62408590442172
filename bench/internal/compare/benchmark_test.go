package compare

import (
	"errors"
	"flag"
	"testing"

	"github.com/stretchr/testify/require"
)

var errTest = errors.New("test")

func TestPattern(t *testing.T) {
	require.Equal(t, `^BenchmarkRows$/^load_in_fake_time$/^41\.3_ms$`, Pattern("BenchmarkRows", "load in fake time", "41.3 ms"))
}

func TestBenchmarkUnit(t *testing.T) {
	require.Equal(t, "peak-memory-B", benchmarkUnit(Figure{Name: "peak memory", Unit: Bytes}))
	require.Equal(t, "distinct-results", benchmarkUnit(Figure{Name: "distinct results"}))
}

// TestBenchmark runs a benchmark of each kind of work.
func TestBenchmark(t *testing.T) {
	ops, sizes := 0, []Size(nil)
	timed := Ours(counting(&ops, 0))
	measured := Ours(Measured(func(testing.TB) func(Size) (Readings, error) {
		return func(size Size) (Readings, error) {
			sizes = append(sizes, size)
			return Readings{"peak": 7}, nil
		}
	}))
	benchtime := flag.Lookup("test.benchtime").Value
	before := benchtime.String()
	require.NoError(t, benchtime.Set("1x"))
	t.Cleanup(func() { require.NoError(t, benchtime.Set(before)) })
	for _, ours := range []Contestant{timed, measured} {
		groups := []Group{{Name: "g", Comparisons: []Comparison{{Name: "c", Contestants: []Contestant{ours}, Figures: []Figure{{Name: "peak"}}}}}}
		require.Positive(t, testing.Benchmark(func(b *testing.B) { Benchmark(b, groups, Smoke) }).N)
	}
	require.Positive(t, ops)
	require.NotEmpty(t, sizes)
	require.NotContains(t, sizes, Full)
}
