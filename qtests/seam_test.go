package qtests

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/internal/ordered"
)

// TestStockRuntimeAdvisesTheOrderedOne once per process, when a test fails, by itself or
// because two runs of it differ.
func TestStockRuntimeAdvisesTheOrderedOne(t *testing.T) {
	const advice = "On the ordered one goroutines, selects, maps, mutexes, package time and random numbers follow the seed, too: "
	for _, c := range []struct {
		tests, advised string
		args           []string
	}{
		{"^TestChildSeeds$", "-run '^TestChildSeeds$' -qtests.seed=4\n", []string{"-qtests.seed=4", "-test.count=2"}},
		{"^TestChildSeeds$", "-run '^TestChildSeeds$' -qtests.seed=4\n", []string{"-qtests.seed=3", "-qtests.seeds=6"}},
		{"^TestChildVerify$/^(Wait|Mark)$", "-run '^TestChildVerify$/^Wait$' -qtests.seed=1 -qtests.verify\n", []string{"-qtests.verify"}},
	} {
		out, passed := runChild(t, c.tests, c.args...)
		require.False(t, passed)
		if ordered.Available() {
			require.NotContains(t, out, advice)
			continue
		}
		require.Equal(t, 1, strings.Count(out, "go tool qtests"))
		require.Contains(t, out, advice+"go tool qtests test github.com/go-qtests/qtests/qtests "+c.advised)
	}
	out, passed := runChild(t, "^TestChildVerify$/^Same$")
	require.True(t, passed)
	require.NotContains(t, out, "go tool qtests")
}
