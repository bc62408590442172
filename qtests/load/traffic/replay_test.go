package traffic

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/load/accesslog"
)

// instant is a second of a minute in which all entries of these tests are recorded.
func instant(second int) time.Time { return time.Date(2015, 5, 17, 10, 5, second, 0, time.UTC) }

func TestReplay(t *testing.T) {
	entries := []accesslog.Entry{{At: instant(20), Path: "/c"}, {At: instant(0), Path: "/a"}, {At: instant(10), Path: "/b1"}, {At: instant(10), Path: "/b2"}}
	tests := map[string]struct {
		profile Profile
		want    []time.Duration
		length  time.Duration
	}{
		"own instants": {Replay(entries), []time.Duration{0, 10 * time.Second, 10 * time.Second, 20 * time.Second}, 21 * time.Second},
		"faster":       {Replay(entries).Speed(4), []time.Duration{0, 2500 * time.Millisecond, 2500 * time.Millisecond, 5 * time.Second}, 5250 * time.Millisecond},
		"slower":       {Replay(entries).Speed(0.5), []time.Duration{0, 20 * time.Second, 20 * time.Second, 40 * time.Second}, 42 * time.Second},
		"from":         {Replay(entries).From(instant(5)), []time.Duration{5 * time.Second, 5 * time.Second, 15 * time.Second}, 16 * time.Second},
		"earlier":      {Replay(entries).From(instant(0).Add(-time.Minute)), []time.Duration{60 * time.Second, 70 * time.Second, 70 * time.Second, 80 * time.Second}, 81 * time.Second},
		"twice":        {Replay(entries[:2]).Amplify(2), []time.Duration{0, 0, 20 * time.Second, 20 * time.Second}, 21 * time.Second},
		"half":         {Replay(entries).Amplify(0.5), []time.Duration{10 * time.Second, 20 * time.Second}, 21 * time.Second},
		"at least one": {Replay(entries).Amplify(0.01), []time.Duration{20 * time.Second}, 21 * time.Second},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, tt.want, arrivalsOf(t, tt.profile))
			require.Equal(t, tt.length, tt.profile.Duration())
		})
	}
	require.Equal(t, 5*time.Second, Replay(entries).Speed(2).Offset(instant(10)))
	require.ErrorContains(t, Replay([]accesslog.Entry{{At: instant(0)}, {At: instant(0).AddDate(6, 0, 0)}}).Err(), "lie between the first entry")
	require.NoError(t, Replay([]accesslog.Entry{{At: instant(0)}, {At: instant(0).AddDate(4, 0, 0)}}).Err(), "a log of years is a log")
	require.ErrorContains(t, Replay(entries).From(instant(30)).Err(), "is after the last entry")
	require.ErrorContains(t, Replay(entries).Speed(0).Err(), "Speed: 0 is not")
}

func FuzzReplayOfALog(f *testing.F) {
	f.Add(`{"time":"2015-05-17T10:05:03Z","path":"/"}`)
	f.Add("a - - [17/May/2015:10:05:03 +0000] \"GET / HTTP/1.1\" 200 -\nb - - [17/May/2015:10:05:01 +0000] \"GET / HTTP/1.1\" 200 -\n")
	f.Add("a - - [01/May/2000:00:00:00 +0000] \"GET / HTTP/1.1\" 200 -\nb - - [01/May/2010:00:00:00 +0000] \"GET / HTTP/1.1\" 200 -\n")
	f.Fuzz(func(t *testing.T, text string) {
		log, err := accesslog.Read("fuzz", strings.NewReader(text))
		if err != nil {
			return
		}
		p := Replay(log.Entries)
		byTime := func(a, b accesslog.Entry) int { return a.At.Compare(b.At) }
		if slices.MaxFunc(log.Entries, byTime).At.Sub(slices.MinFunc(log.Entries, byTime).At) > accesslog.MaxSpan {
			require.ErrorContains(t, p.Err(), "lie between the first entry", "two far apart, of which neither is the odd one")
			return
		}
		require.NoError(t, p.Err())
		n := 0
		require.NoError(t, p.Arrivals(nil, func(d time.Duration) bool {
			require.GreaterOrEqual(t, d, time.Duration(0))
			require.Less(t, d, p.Duration())
			n++
			return true
		}))
		require.Equal(t, len(log.Entries), n)
	})
}
