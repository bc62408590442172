package compare

import (
	"flag"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPattern(t *testing.T) {
	require.Equal(t, `^BenchmarkRows$/^load_in_fake_time$/^41\.3_ms$`, Pattern("BenchmarkRows", "load in fake time", "41.3 ms"))
}

func TestBenchmarkUnit(t *testing.T) {
	require.Equal(t, "peak-memory-B", benchmarkUnit(Figure{Name: "peak memory", Unit: Bytes}))
	require.Equal(t, "distinct-results", benchmarkUnit(Figure{Name: "distinct results"}))
}

// TestBenchmark runs a benchmark of each kind of work, with a profile of the one
// that is done here.
func TestBenchmark(t *testing.T) {
	var sizes []Size
	inside := Timed(func(testing.TB) func(n int) error { return func(n int) error { allocate(n); return nil } })
	measured := Ours(Measured(func(testing.TB) func(Size) (Readings, error) {
		return func(size Size) (Readings, error) {
			sizes = append(sizes, size)
			return Readings{"peak": 7}, nil
		}
	}))
	outside := measured
	outside.Profile = func(string) error { return errTest }
	benchtime := flag.Lookup("test.benchtime").Value
	before := benchtime.String()
	require.NoError(t, benchtime.Set("1x"))
	t.Cleanup(func() { require.NoError(t, benchtime.Set(before)) })
	for _, c := range []struct {
		name    string
		ours    Contestant
		written bool
	}{
		{"timed", Ours(inside), true}, {"measured", measured, true}, {"outside", outside, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			sizes = nil
			groups := []Group{{Name: "g", Comparisons: []Comparison{{Name: "c", Contestants: []Contestant{c.ours}, Figures: []Figure{{Name: "peak"}}}}}}
			file := filepath.Join(t.TempDir(), Allocated.File())
			r := testing.Benchmark(func(b *testing.B) { Benchmark(b, groups, Smoke, file) })
			require.Positive(t, r.N)
			if c.written {
				require.FileExists(t, file)
			} else {
				require.NoFileExists(t, file)
			}
			for _, size := range sizes {
				require.Equal(t, Smoke, size)
			}
		})
	}
}
