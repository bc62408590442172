package text

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestNumbers(t *testing.T) {
	for x, want := range map[float64]string{0: "0", 0.1: "0.1", 1e21: "1e+21", 1234567: "1.234567e+06", math.Inf(1): "+Inf"} {
		require.Equal(t, want, Number(x))
	}
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", -999: "-999", -1000: "-1,000", -1234567: "-1,234,567"} {
		require.Equal(t, want, Grouped(n))
	}
	for x, want := range map[float64]string{0: "0", 0.123456: "0.1235", 12.3456: "12.35", 999.96: "1000", 1000: "1,000", 12345.6: "12,346"} {
		require.Equal(t, want, Significant(x))
	}
	for d, want := range map[time.Duration]string{
		0: "0s", 499: "0s", 1234567: "1.235ms", 12_345_678: "12.35ms", 1_234_567_890: "1.235s", time.Hour + 1234*time.Millisecond: "1h0m1s",
		3*time.Hour + 3*time.Second: "3h0m3s", // never less than whole seconds
	} {
		require.Equal(t, want, Short(d))
	}
	for perSecond, want := range map[float64]string{
		0: "0/s", 12.5: "12.5/s", 0.1: "0.1/s", 0.05: "3/min", 0.1 / 60: "0.1/min", 0.05 / 60: "3/h",
	} {
		require.Equal(t, want, Rate(perSecond))
	}
}

func TestCounts(t *testing.T) {
	require.Equal(t, "0 runs", Plural(0, "run"))
	require.Equal(t, "1 run", Plural(int64(1), "run"))
	require.Equal(t, "1,200 runs", Plural(uint64(1200), "run"))
	require.Equal(t, "once", Times(1))
	require.Equal(t, "0 times", Times(0))
	require.Equal(t, "1,200 times", Times(1200))
}

func TestClip(t *testing.T) {
	require.Equal(t, "abc", Clip("abc", 3))
	require.Equal(t, "ab…", Clip("abc", 2))
	require.Equal(t, "a?…", Clip("aé", 2), "the cut divides a letter")
}

func TestPrintable(t *testing.T) {
	for s, want := range map[string]string{
		"plain\ttext\n": "plain\ttext\n", "\x1b[31m": `\x1b[31m`, "a\xffb": `a\xffb`, "\u200b": `\u200b`, "é": "é", "\uFFFD": "\uFFFD",
	} {
		require.Equal(t, want, Printable(s))
	}
	require.Equal(t, `a b c\r`, OneLine("a\nb\tc\r"))
}

func TestSortedKeys(t *testing.T) {
	require.Equal(t, []string{"a", "b", "c"}, SortedKeys(map[string]int{"c": 1, "a": 2, "b": 3}))
	require.Empty(t, SortedKeys(map[string]bool{}))
}

func TestTable(t *testing.T) {
	var b strings.Builder
	Table(&b, [][]string{{"name", "n", ""}, {"é", "1,000", "x"}, {"longer", "7", ""}})
	require.Equal(t, "  name        n\n  é       1,000  x\n  longer      7\n", b.String())
	b.Reset()
	Table(&b, [][]string{{"low", "high", "sign"}, {"0", "9", "-"}})
	require.Equal(t, "  low  high  sign\n    0     9  -\n", b.String(), "aligned to the right from 0 to 9")
}
