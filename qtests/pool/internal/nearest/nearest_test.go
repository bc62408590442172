package nearest

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestOf(t *testing.T) {
	length := func(s string) int { return len(s) }
	items := []string{"ccc", "a", "bb", "d"}
	require.Equal(t, []string{"a", "d", "bb"}, Of(items, 3, length), "the same distance keeps the order")
	require.Equal(t, []string{"a", "d", "bb", "ccc"}, Of(items, 9, length))
	require.Empty(t, Of(items, 0, length))
	require.Empty(t, Of(items, -1, length))
}

func TestDistance(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{
		{"", "", 0},
		{"SELECT a", "SELECT a", 0},
		{"SELECT a", "select a", 1},
		{"SELECT a", "SELECT", 8},
		{"SELECT", "SELECT a", 8},
		{"FROM items", "FROM itms", 1 + 5 - 2},
		{"FROM item", "FROM items", 1 + 5 - 4},
		{"FROM items", "FROM item", 1 + 5 - 4},
		{"FROM abcdefghijk", "FROM zzzzzzzzzzz", 8},
		{"a b c", "a x b c", 8},
	} {
		require.Equal(t, c.want, Distance(strings.Fields(c.a), strings.Fields(c.b)), "%q %q", c.a, c.b)
	}
	long := strings.Fields(strings.Repeat("x ", 10_000))
	require.Equal(t, 8*(maxWords-1), Distance(long, []string{"x"}), "the work is bounded")
}
