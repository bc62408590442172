package compare

import (
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
