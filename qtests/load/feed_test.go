package load

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/internal/share"

	"github.com/go-qtests/qtests/qtests/load/traffic"
)

func take(c *cursor) map[string]string {
	return c.take(func(round int) *rand.Rand { return rand.New(rand.NewPCG(1, uint64(round))) })
}

func TestFeeds(t *testing.T) {
	long := strings.Repeat("x", 1<<20)
	f, err := CSVFeed("f.csv", strings.NewReader("name,age\nann,1\n\"b\nob\","+long+"\n"))
	require.NoError(t, err)
	require.Equal(t, 2, f.Len())
	c := newCursor(f, share.Share{})
	require.Equal(t, "ann", take(c)["name"])
	require.Equal(t, long, take(c)["age"])
	require.Equal(t, "ann", take(c)["name"], "from the first again after the last")

	f, err = JSONFeed("f.json", strings.NewReader(`[{"a":1,"b":"x"},{"a":null,"b":true}] {"a":2.50}`))
	require.NoError(t, err)
	c = newCursor(f, share.Share{})
	require.Equal(t, map[string]string{"a": "1", "b": "x"}, take(c))
	require.Equal(t, map[string]string{"a": "", "b": "true"}, take(c))
	require.Equal(t, map[string]string{"a": "2.50"}, take(c))

	shuffled := newCursor(f.Shuffled(), share.Share{})
	for range 5 { // every round has every row once
		seen := map[string]bool{}
		for range 3 {
			seen[take(shuffled)["a"]] = true
		}
		require.Len(t, seen, 3)
	}
	for text, want := range map[string]string{"": "no line with the names", "a,b\n": "there are no rows", "a,b\n1\n": "line 2", "a\n\"": "line 2"} {
		_, err := CSVFeed("f.csv", strings.NewReader(text))
		require.ErrorContains(t, err, want)
		require.ErrorContains(t, err, "load: feed f.csv")
	}
	for text, want := range map[string]string{"": "there are no rows", "[1]": "row 1: is not an object", `{"a":[]}`: `"a" is neither`, `{"a":1} x`: "line 1: invalid character 'x'"} {
		_, err := JSONFeed("f.json", strings.NewReader(text))
		require.ErrorContains(t, err, want)
	}
}

func FuzzFeeds(f *testing.F) {
	f.Add("a,b\n1,2\n")
	f.Add(`[{"a":1}]`)
	f.Fuzz(func(t *testing.T, text string) {
		for _, read := range []func() (*Feed, error){
			func() (*Feed, error) { return CSVFeed("f", strings.NewReader(text)) },
			func() (*Feed, error) { return JSONFeed("f", strings.NewReader(text)) },
		} {
			if feed, err := read(); err == nil {
				require.Positive(t, feed.Len())
			}
		}
	})
}

func TestFeedsShuffleEveryRoundAnew(t *testing.T) {
	f := &Feed{}
	for i := range 50 {
		f.rows = append(f.rows, map[string]string{"a": fmt.Sprint(i)})
	}
	rounds := map[string]bool{}
	c := newCursor(f.Shuffled(), share.Share{})
	for range 4 {
		var order []string
		for range f.Len() {
			order = append(order, take(c)["a"])
		}
		rounds[strings.Join(order, " ")] = true
	}
	require.Len(t, rounds, 4)
}

func TestFeedErrorsNameTheLine(t *testing.T) {
	long := strings.Repeat("x", 1<<20)
	for text, want := range map[string]string{
		"{\"a\":1}\n\n{\"a\":nope}\n":                         "line 3: invalid character 'o' in literal null",
		"{\"a\":1}\n{\"b\":2}\n{\"a\":\n":                     "line 3: unexpected EOF",
		"[{\"a\":1},\n{\"a\":2},\n\n{\"a\":x}]":               "line 4: invalid character 'x'",
		"{\"a\":1}\n{\"a\"\n:1]":                              "line 3: invalid character ']'",
		strings.Repeat("{\"a\":1}\n", 5000) + "{]":            "line 5001: invalid character ']'",
		"{\"a\":\"" + long + "\"}\n{\"a\":\n\"" + long + "\"": "line 3: unexpected EOF",
		"{\"a\":1}\n[1]":                                      "row 2: is not an object",
	} {
		_, err := JSONFeed("f%s.json", strings.NewReader(text))
		require.ErrorContains(t, err, "load: feed f%s.json: "+want)
		_, err = JSONFeed("f%s.json", iotest.OneByteReader(strings.NewReader(text[max(len(text)-200_000, 0):])))
		require.Error(t, err)
	}
	broken := errors.New("cable")
	_, err := JSONFeed("f", iotest.ErrReader(broken))
	require.ErrorIs(t, err, broken)
	_, err = CSVFeed("f", iotest.ErrReader(broken))
	require.ErrorIs(t, err, broken)
}

func TestFeedsOfLongLines(t *testing.T) {
	long := strings.Repeat("x", 1<<20)
	f, err := JSONFeed("f", strings.NewReader("{\"a\":\""+long+"\"}\n{\"a\":1}\n{\"a\":\""+long+"\"}"))
	require.NoError(t, err)
	require.Equal(t, 3, f.Len())
	require.Equal(t, long, f.rows[2]["a"])
}

func TestFeedColumns(t *testing.T) {
	_, err := CSVFeed("f", strings.NewReader("a,b,a\n1,2,3\n"))
	require.EqualError(t, err, `load: feed f: two columns are called "a"`)
	for _, head := range []string{"a,b", `"a",b`} {
		f, err := CSVFeed("f", strings.NewReader("\ufeff"+head+"\n1,\ufeff2\n"))
		require.NoError(t, err)
		require.Equal(t, map[string]string{"a": "1", "b": "\ufeff2"}, f.rows[0])
	}
	f, err := JSONFeed("f", strings.NewReader("\ufeff{\"a\":1}"))
	require.NoError(t, err)
	require.Equal(t, map[string]string{"a": "1"}, f.rows[0])
}

func TestFeedsWithoutRowsAreNamed(t *testing.T) {
	s := Scenario{Traffic: traffic.Rate(1).For(time.Second), Do: serve(0), Feeds: map[string]*Feed{"ok": {rows: []map[string]string{{}}}, "users": nil}}
	_, err := Do(t.Context(), s)
	require.EqualError(t, err, `load: Scenario.Feeds["users"]: a feed without rows: make it with CSVFeed or JSONFeed`)
	s.Feeds["users"] = &Feed{}
	_, err = Do(t.Context(), s)
	require.ErrorContains(t, err, `Feeds["users"]`)
}
