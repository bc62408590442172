package gocmd

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSplitGOFLAGS(t *testing.T) {
	for in, want := range map[string][]string{
		"":                                nil,
		" \t":                             nil,
		"-v":                              {"-v"},
		" -a  -b\t-c ":                    {"-a", "-b", "-c"},
		"'-overlay=/a b/c' -v":            {"-overlay=/a b/c", "-v"},
		`"-ldflags=-X main.x='y'"`:        {"-ldflags=-X main.x='y'"},
		`-ldflags='-s -w'`:                {"-ldflags='-s", "-w'"}, // quotes further inside do not count
		`"-a"-b`:                          {"-a", "-b"},
		`-tags=a,b -mod=mod -overlay=x y`: {"-tags=a,b", "-mod=mod", "-overlay=x", "y"},
	} {
		got, err := SplitGOFLAGS(in)
		require.NoError(t, err)
		require.Equal(t, want, got, "%s", in)
	}
	_, err := SplitGOFLAGS(`-a '-b`)
	require.EqualError(t, err, "GOFLAGS: unterminated ' string")
}

func TestJoinGOFLAGS(t *testing.T) {
	got, err := JoinGOFLAGS([]string{"-v", "-overlay=/a b/c", `-ldflags=-X 'x'`})
	require.NoError(t, err)
	require.Equal(t, `-v '-overlay=/a b/c' "-ldflags=-X 'x'"`, got)
	_, err = JoinGOFLAGS([]string{`-overlay=/'"`})
	require.EqualError(t, err, `GOFLAGS cannot hold -overlay=/'", which has both kinds of quotes`)
}

func TestCutOverlay(t *testing.T) {
	overlay, others := CutOverlay([]string{"-v", "--overlay=a", "-overlays=x", "-overlay=b", "-mod=mod"})
	require.Equal(t, "b", overlay)
	require.Equal(t, []string{"-v", "-overlays=x", "-mod=mod"}, others)
}

// FuzzGOFLAGS: what is joined is what is split again.
func FuzzGOFLAGS(f *testing.F) {
	f.Add("-v|-overlay=/a b|''")
	f.Fuzz(func(t *testing.T, in string) {
		flags := strings.Split(in, "|")
		joined, err := JoinGOFLAGS(flags)
		if err != nil {
			require.True(t, strings.Contains(in, "'") && strings.Contains(in, `"`))
			return
		}
		split, err := SplitGOFLAGS(joined)
		require.NoError(t, err)
		require.Equal(t, flags, split)
	})
}
