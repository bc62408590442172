package load

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/require"
)

func line(second int, path string) string {
	return fmt.Sprintf("c1 - - [17/May/2015:10:05:%02d +0000] \"GET %s HTTP/1.1\" 200 %d\n", second, path, second*10)
}

func at(second int) time.Time { return time.Date(2015, 5, 17, 10, 5, second, 0, time.UTC) }

func TestReadLogFormats(t *testing.T) {
	const head = `83.149.9.216 - - [17/May/2015:10:05:03 +0000] `
	want := Entry{At: at(3), Client: "83.149.9.216", Method: "GET", Path: "/a?b=c", Status: 200, Bytes: 203023}
	for name, text := range map[string]string{
		"common":            head + `"GET /a?b=c HTTP/1.1" 200 203023`,
		"combined":          head + `"GET /a?b=c HTTP/1.1" 200 203023 "http://x/" "Mozilla/5.0 (Mac)"`,
		"cut agent":         head + `"GET /a?b=c HTTP/1.1" 200 203023 "-" "Mozilla/5.0 (compatible; http://www.`,
		"quotes in agent":   head + `"GET /a?b=c HTTP/1.1" 200 203023 "-" ""Mozilla" "x""`,
		"no protocol":       head + `"GET /a?b=c" 200 203023`,
		"zone":              `83.149.9.216 - - [17/May/2015:12:05:03 +0200] "GET /a?b=c HTTP/1.1" 200 203023`,
		"JSON":              `{"time":"2015-05-17T10:05:03Z","client":"83.149.9.216","method":"GET","path":"/a?b=c","status":200,"bytes":203023}`,
		"JSON, other names": `{"@timestamp":"17/May/2015:10:05:03 +0000","remote_addr":"83.149.9.216","uri":"/a?b=c","status":"200","body_bytes_sent":"203023","x":[1]}`,
		"JSON, seconds":     `{"ts":1431857103,"ip":"83.149.9.216","url":"/a?b=c","status":200,"size":203023}`,
	} {
		t.Run(name, func(t *testing.T) {
			log, err := ReadLog("access.log", strings.NewReader(text))
			require.NoError(t, err)
			require.Len(t, log.Entries, 1)
			got := log.Entries[0]
			require.True(t, want.At.Equal(got.At), got.At)
			got.At = want.At
			require.Equal(t, want, got)
		})
	}
}

func TestReadLogNamesFileLineAndReason(t *testing.T) {
	for text, reason := range map[string]string{
		"nonsense":                          "no client",
		"a b c":                             "no [time]",
		"a - - [17/May/2015:10:05:03 +0000": "no ] after the time",
		"a - - [17/Mai/2015:10:05:03 +0000] \"GET / HTTP/1.1\" 200 1": `time "17/Mai/2015:10:05:03 +0000" is not like`,
		"a - - [17/May/2015:10:05:03 +0000] GET / 200 1":              "no quoted request",
		"a - - [17/May/2015:10:05:03 +0000] \"GET / HTTP/1.1":         "no end of the quoted request",
		"a - - [17/May/2015:10:05:03 +0000] \"-\" 408 0":              `request "-" is not a method and a path`,
		"a - - [17/May/2015:10:05:03 +0000] \"\\x16\\x03 x\" 400 0":   `is not in capitals`,
		"a - - [17/May/2015:10:05:03 +0000] \"GET / HTTP/1.1\" 99 1":  `status "99" is not a number from 100`,
		"a - - [17/May/2015:10:05:03 +0000] \"GET / HTTP/1.1\" 200 x": `no status and bytes`,
		`{"time":"2015-05-17T10:05:03Z"}`:                             "no path",
		`{"path":"/"}`:                                                "no time",
		`{"path":"/","time":"yesterday"}`:                             `time "yesterday" is neither`,
		`{"path":`:                                                    "JSON",
		strings.Repeat("x", 70_000):                                   "longer than 65536 bytes",
	} {
		log, err := ReadLog("access.log", strings.NewReader(line(1, "/")+"\n"+text+"\n"+line(2, "/")))
		require.NoError(t, err)
		require.Len(t, log.Entries, 2)
		require.Equal(t, 1, log.Skipped)
		require.Equal(t, 3, log.Lines)
		require.Equal(t, "access.log", log.Bad[0].File)
		require.Equal(t, 3, log.Bad[0].Line, text)
		if reason != "no status and bytes" {
			require.Contains(t, log.Bad[0].Error(), "access.log:3: ")
			require.Contains(t, log.Bad[0].Reason, reason)
		}
	}
}

func TestReadLogKeepsTheFirstFiveOnly(t *testing.T) {
	log, err := ReadLog("x", strings.NewReader(strings.Repeat("bad\n", 9)+line(1, "/")))
	require.NoError(t, err)
	require.Equal(t, 9, log.Skipped)
	require.Len(t, log.Bad, 5)
	require.Equal(t, 5, log.Bad[4].Line)
}

func TestReadLogFatalOnlyWithoutEntries(t *testing.T) {
	_, err := ReadLog("x.log", strings.NewReader("bad\nworse\n"))
	require.ErrorIs(t, err, ErrNoEntries)
	require.ErrorContains(t, err, "x.log:2: no client")
	_, err = ReadLog("x.log", strings.NewReader(""))
	require.ErrorIs(t, err, ErrNoEntries)
	_, err = ReadLog("x.log", iotest.ErrReader(errors.New("disk")))
	require.ErrorContains(t, err, "x.log:1: disk")
}

func TestReadLogSortsAndKeepsTheOrderOfOneInstant(t *testing.T) {
	log, err := ReadLog("x", strings.NewReader(line(5, "/e")+line(3, "/a")+line(5, "/f")+line(3, "/b")))
	require.NoError(t, err)
	var paths string
	for _, e := range log.Entries {
		paths += e.Path
	}
	require.Equal(t, "/a/b/e/f", paths)
	require.Equal(t, 2, log.Disordered)
}

func TestReadLogDropsAWrongYear(t *testing.T) {
	wrong := strings.Replace(line(4, "/wrong"), "2015", "1915", 1)
	log, err := ReadLog("x", strings.NewReader(wrong+line(1, "/")+line(2, "/")+line(3, "/")))
	require.NoError(t, err)
	require.Len(t, log.Entries, 3)
	require.Equal(t, 1, log.Bad[0].Line)
	require.Contains(t, log.Bad[0].Reason, "from the middle of the log, 2015-05-17")
}

func TestReadLogStreamsAnEndlessLine(t *testing.T) {
	log, err := ReadLog("x", iotest.OneByteReader(strings.NewReader(strings.Repeat("y", 300_000)+"\n"+line(1, "/"))))
	require.NoError(t, err)
	require.Len(t, log.Entries, 1)
	require.Equal(t, 2, log.Lines)
}

func FuzzReadLog(f *testing.F) {
	f.Add(line(1, "/") + "bad\n")
	f.Add(`{"time":"2015-05-17T10:05:03Z","path":"/"}`)
	f.Add("a - - [17/May/2015:10:05:03 +0000] \"GET \\\" / HTTP/1.1\" 200 -\n")
	f.Fuzz(func(t *testing.T, text string) {
		log, err := ReadLog("fuzz", strings.NewReader(text))
		if err != nil {
			return
		}
		require.Equal(t, log.Lines, len(log.Entries)+log.Skipped)
		for i := 1; i < len(log.Entries); i++ {
			require.False(t, log.Entries[i].At.Before(log.Entries[i-1].At))
		}
		p := Replay(log.Entries)
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

func TestReplay(t *testing.T) {
	entries := []Entry{{At: at(20), Path: "/c"}, {At: at(0), Path: "/a"}, {At: at(10), Path: "/b1"}, {At: at(10), Path: "/b2"}}
	tests := map[string]struct {
		profile Profile
		want    []time.Duration
		length  time.Duration
	}{
		"own instants": {Replay(entries), []time.Duration{0, 10 * time.Second, 10 * time.Second, 20 * time.Second}, 21 * time.Second},
		"faster":       {Replay(entries).Speed(4), []time.Duration{0, 2500 * time.Millisecond, 2500 * time.Millisecond, 5 * time.Second}, 5250 * time.Millisecond},
		"slower":       {Replay(entries).Speed(0.5), []time.Duration{0, 20 * time.Second, 20 * time.Second, 40 * time.Second}, 42 * time.Second},
		"from":         {Replay(entries).From(at(5)), []time.Duration{5 * time.Second, 5 * time.Second, 15 * time.Second}, 16 * time.Second},
		"earlier":      {Replay(entries).From(at(0).Add(-time.Minute)), []time.Duration{60 * time.Second, 70 * time.Second, 70 * time.Second, 80 * time.Second}, 81 * time.Second},
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
	require.Equal(t, 5*time.Second, Replay(entries).Speed(2).Offset(at(10)))
	require.ErrorContains(t, Replay([]Entry{{At: at(0)}, {At: at(0).AddDate(2, 0, 0)}}).Err(), "lie between the first entry")
	require.ErrorContains(t, Replay(entries).From(at(30)).Err(), "is after the last entry")
	require.ErrorContains(t, Replay(entries).Speed(0).Err(), "Speed: 0 is not")
}

func TestReadLogShowsTheFirstBadLinesInOrder(t *testing.T) {
	good := `c1 - - [17/May/2015:10:05:03 +0000] "GET /a HTTP/1.1" 200 1` + "\n"
	future := strings.ReplaceAll(good, "2015", "2025")
	log, err := ReadLog("x.log", strings.NewReader(future+good+good+good+strings.Repeat("bad\n", 6)+future))
	require.NoError(t, err)
	require.Len(t, log.Entries, 3)
	require.Equal(t, 8, log.Skipped)
	var lines []int
	for _, b := range log.Bad {
		lines = append(lines, b.Line)
	}
	require.Equal(t, []int{1, 5, 6, 7, 8}, lines, "a wrong year in the first line is found out last")
	require.Contains(t, log.String(), "3 entries from 2015-05-17T10:05:03Z")
	require.Contains(t, log.String(), "\n\tx.log:1: ")
	require.Equal(t, "no entries", (&Log{}).String())
}

func TestReadLogLongestLine(t *testing.T) {
	head, tail := `c1 - - [17/May/2015:10:05:03 +0000] "GET /`, ` HTTP/1.1" 200 1`
	fill := func(n int) string { return head + strings.Repeat("a", n-len(head)-len(tail)) + tail + "\n" }
	log, err := ReadLog("x.log", strings.NewReader(fill(MaxLogLine)+fill(MaxLogLine+1)))
	require.NoError(t, err)
	require.Len(t, log.Entries, 1)
	require.Len(t, log.Bad, 1)
	require.Equal(t, 2, log.Bad[0].Line)
}
