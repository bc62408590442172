package accesslog

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// What may be the beginning of a line is looked at before any pattern, also in a line that ends there.
func TestBeginningsOfALine(t *testing.T) {
	for line, want := range map[string]bool{"2006-01-02": false, "2006-01-02T": true, "2006-01-02 ": false} {
		require.Equal(t, want, isDated(line), line)
	}
	for line, want := range map[string]bool{"Apr  6 00:17:09 host": true, "Sep  6 00:17:09 host": true, "apr  6 00:17:09 host": false, "<165>x": true, "Apr  6 00:17": false} {
		require.Equal(t, want, isStamped(line), line)
	}
	for line, want := range map[string]bool{"10.0.0.1:5460 [06/Oct": true, "10.0.0.1:5469 [06/Oct": true, "host [06/Oct": false, " [": false} {
		require.Equal(t, want, mayBeHAProxy(line), line)
	}
	for word, want := range map[string]bool{"a:80": true, ":80": false, "a:": false, "_:80": true, "[::1]:80": true, "::1": false} {
		require.Equal(t, want, hasPort(word), word)
	}
	for word, want := range map[string]string{`"`: `"`, `""`: "", `"a"`: "a", "a": "a", `"a`: `"a`, "": ""} {
		require.Equal(t, want, unquoted(word))
	}
}

// A classic load balancer ends its line with the request, and a line that ends sooner is refused.
func TestShortLinesOfProxies(t *testing.T) {
	classic := `2015-05-13T23:39:43.945958Z my-elb 192.168.131.39:2817 10.0.0.1:80 0.000073 0.001048 0.000057 200 200 0 29 "GET http://www.example.com:80/x HTTP/1.1"`
	require.Equal(t, Entry{At: utc("2015-05-13T23:39:43.945958Z"), Client: "192.168.131.39", Method: "GET", Path: "/x", Status: 200, Bytes: 29}, readOne(t, Reader{}, classic))
	for _, line := range []string{classic[:strings.Index(classic, ` "GET`)], `[2023-10-06T00:17:09.000Z] "GET / HTTP/1.1" 200 - 0 1`} {
		_, err := Read("x", strings.NewReader(line+"\n"))
		require.Error(t, err, line)
	}
}

// A line may be wrapped as often as it may have a prefix.
func TestDepthOfWrappers(t *testing.T) {
	line := "203.0.113.7" + combined
	for n := range maxCarriers + 3 {
		log, err := Read("x", strings.NewReader(line+"\n203.0.113.8"+combined+"\n"))
		require.NoError(t, err)
		require.Equal(t, n > maxCarriers, log.Skipped == 1, "%d times", n)
		text, err := json.Marshal(map[string]string{"log": line})
		require.NoError(t, err)
		line = string(text)
	}
}

// A layout of one's own comes first, and where it does not fit the one of the format.
func TestLayoutComesFirst(t *testing.T) {
	own := timer{layout: "02.01.2006 15:04"}
	for s, ok := range map[string]bool{"06.10.2023 00:17": true, "2023-10-06T00:17:00Z": true, "yesterday": false} {
		at, err := own.in(time.RFC3339, s)
		require.Equal(t, ok, err == nil, s)
		if ok {
			require.True(t, at.Equal(utc("2023-10-06T00:17:00Z")), s)
		}
	}
	_, err := timer{}.in(time.RFC3339, "06.10.2023 00:17")
	require.Error(t, err)
}

// A column that is named for the time has to have one.
func TestTimeOfANamedColumn(t *testing.T) {
	log, err := Reader{Fields: Fields{Time: "when"}}.Read("x", strings.NewReader("#Fields: when date time cs-uri-stem c-ip\n1696551429 2020-01-01 00:00:00 /a 203.0.113.7\n- 2020-01-01 00:00:00 /b 203.0.113.7\n"))
	require.NoError(t, err)
	require.Equal(t, utc("2023-10-06T00:17:09Z"), log.Entries[0].At)
	require.Equal(t, 1, log.Skipped)
	require.Contains(t, log.Bad[0].Reason, "no time: want one of when;")
}

// Few entries stray that are farther away than the others reach, and many that are farther than a log spans.
func TestStrays(t *testing.T) {
	body, span := group{first: 1000, last: 1100, size: 100}, int64(MaxSpan/time.Second)
	for _, c := range []struct {
		g    group
		want bool
	}{
		{group{1200, 1200, 1}, false}, {group{1201, 1201, 1}, true}, {group{1201, 1201, 2}, true}, {group{1201, 1201, 3}, false}, {group{900, 900, 1}, false}, {group{899, 899, 1}, true},
		{group{1100 + span, 1100 + span, 50}, false}, {group{1101 + span, 1101 + span, 50}, true}, {body, false},
	} {
		require.Equal(t, c.want, c.g.strays(body, 2), "%v", c.g)
	}
}
