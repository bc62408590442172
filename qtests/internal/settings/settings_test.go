package settings

import (
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestParsers(t *testing.T) {
	seed := func(s string) (any, error) { return parseSeed(s) }
	count := func(s string) (any, error) { return parseCount(s) }
	limit := func(s string) (any, error) { return parseLimit(s) }
	for _, c := range []struct {
		parse func(string) (any, error)
		text  string
		want  any // or the error
	}{
		{seed, "0", uint64(0)},
		{seed, "0x10", uint64(16)},
		{seed, "18446744073709551615", uint64(math.MaxUint64)},
		{seed, "-1", `"-1" is neither a number from 0 to 2^64-1 nor random`},
		{seed, "", `"" is neither a number from 0 to 2^64-1 nor random`},
		{count, "1", 1},
		{count, "20", 20},
		{count, "0", `"0" is not a number of at least 1`},
		{count, "-3", `"-3" is not a number of at least 1`},
		{count, "many", `"many" is not a number of at least 1`},
		{limit, "1m30s", 90 * time.Second},
		{limit, "0", time.Duration(0)},
		{limit, "-1s", `"-1s" is not a duration like 10s`},
		{limit, "10", `"10" is not a duration like 10s`},
	} {
		v, err := c.parse(c.text)
		if err != nil {
			v = err.Error()
		}
		require.Equal(t, c.want, v, c.text)
	}
	a, err := parseSeed("random")
	require.NoError(t, err)
	b, err := parseSeed("random")
	require.NoError(t, err)
	require.NotEqual(t, a, b, "one in four billion is the same")
}

// TestSetting: the flag wins over the variable, and the variable over the default.
func TestSetting(t *testing.T) {
	for _, c := range []struct {
		flag, variable string
		want           int
	}{
		{"", "", 1},
		{"", "7", 7},
		{"5", "7", 5},
		{"1", "7", 1},
		{"5", "many", 5},
	} {
		t.Setenv("QTESTS_SETTING", c.variable)
		s := newSetting("qtests.setting", "QTESTS_SETTING", "", 1, parseCount)
		if c.flag != "" {
			require.NoError(t, s.Set(c.flag))
		}
		require.Equal(t, c.want, s.Get(), c)
		require.Equal(t, fmt.Sprint(c.want), s.String())
		require.False(t, s.Random)
	}
	s := newSetting("qtests.setting", "QTESTS_SETTING", "", 1, parseCount)
	require.EqualError(t, s.Set("0"), `"0" is not a number of at least 1`)
	require.Equal(t, 1, s.value, "what is wrong sets nothing")
	require.False(t, s.given)
}

// TestRandomSetting is known as one that was drawn.
func TestRandomSetting(t *testing.T) {
	t.Setenv("QTESTS_SETTING", "random")
	s := newSetting("qtests.setting", "QTESTS_SETTING", "", DefaultSeed, parseSeed)
	drawn := s.Get()
	require.True(t, s.Random)
	require.Equal(t, drawn, s.Get(), "once")
}

// TestFlags are as the flag package wants them: it prints the defaults, and a bool stands alone.
func TestFlags(t *testing.T) {
	fs := flag.NewFlagSet("test", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	count := newSetting("count", "QTESTS_SETTING", "", 1, parseCount)
	verify := newSetting("verify", "QTESTS_SETTING", "", false, func(s string) (bool, error) { return s == "true", nil })
	fs.Var(count, "count", "")
	fs.Var(verify, "verify", "")
	fs.PrintDefaults() // asks a zero value for its text
	require.NoError(t, fs.Parse([]string{"-verify", "-count", "3"}))
	require.True(t, verify.Get())
	require.Equal(t, 3, count.Get())
	require.Error(t, fs.Parse([]string{"-count", "0"}))
	require.Empty(t, (*setting[int])(nil).String())
}

// TestWrongVariable ends the process, and says which it is.
func TestWrongVariable(t *testing.T) {
	if os.Getenv("QTESTS_SEEDS") == "none" {
		Seeds.Get()
		return
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestWrongVariable$")
	cmd.Env = append(os.Environ(), "QTESTS_SEEDS=none")
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit)
	require.Equal(t, 2, exit.ExitCode())
	require.Equal(t, "qtests: QTESTS_SEEDS: \"none\" is not a number of at least 1\n", string(out))
}
