package accesslog

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A status has three digits, and a size none below zero; what servers write for nothing is zero.
func TestNumbersOfALine(t *testing.T) {
	for text, want := range map[string]int{"-": 0, "-1": 0, "0": 0, "000": 0, "100": 100, "999": 999, "99": -1, "1000": -1, "": -1, "x": -1} {
		n, err := parseStatus(text)
		require.Equal(t, want == -1, err != nil, text)
		require.Equal(t, max(want, 0), n, text)
	}
	for text, want := range map[string]int64{"-": 0, "0": 0, "7": 7, "+7": 7, "-7": -1, "": -1} {
		n, err := parseBytes(text)
		require.Equal(t, want == -1, err != nil, text)
		require.Equal(t, max(want, 0), n, text)
	}
}

// The size of a number tells its unit; a fraction is read to the microsecond.
func TestTimesSince1970(t *testing.T) {
	at := func(seconds, micros int64) time.Time { return time.Unix(seconds, micros*1000).UTC() }
	for text, want := range map[string]time.Time{
		"1431857103": at(1431857103, 0), "1431857103.25": at(1431857103, 250_000), "1431857103.1234567": at(1431857103, 123_457),
		"1431857103250": at(1431857103, 250_000), "1431857103250.5": at(1431857103, 250_500), "1431857103250125": at(1431857103, 250_125),
		"1431857103250125000": at(1431857103, 250_125), "99999999999": at(99999999999, 0), "100000000000": at(100_000_000, 0),
		"99999999999999": at(99_999_999_999, 999_000), "100000000000000": at(100_000_000, 0), "-1": at(-1, 0),
	} {
		got, ok := sinceEpoch(text)
		require.True(t, ok, text)
		require.Equal(t, want, got, text)
	}
	for _, text := range []string{"", "x", "0x10", "1_000", "NaN", "Inf", "1e20", "100000000000000000000"} {
		_, ok := sinceEpoch(text)
		require.False(t, ok, text)
	}
}

func TestWordsOfALine(t *testing.T) {
	for text, want := range map[string][]string{
		`a  b`: {"a", "b"}, ` "a b" c`: {`"a b"`, "c"}, `"a \" b" c`: {`"a \" b"`, "c"}, `"open`: {`"open`},
		"a\tb": {"a", "b"}, "": nil,
	} {
		require.Equal(t, want, words(text), text)
	}
	for text, want := range map[string][]string{"a, b c": {"a, b", "c"}, "a , b": {"a , b"}, ", b": {", b"}, "a b,": {"a", "b,"}} {
		require.Equal(t, want, headWords(text), text)
	}
}
