package accesslog

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

func TestReadFormats(t *testing.T) {
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
			log, err := Read("access.log", strings.NewReader(text))
			require.NoError(t, err)
			require.Len(t, log.Entries, 1)
			got := log.Entries[0]
			require.True(t, want.At.Equal(got.At), got.At)
			got.At = want.At
			require.Equal(t, want, got)
		})
	}
}

func TestReadNamesFileLineAndReason(t *testing.T) {
	for text, reason := range map[string]string{
		"nonsense":                          "unknown format: accepted are common and combined log format",
		"a b c":                             "and JSON; after a prefix of CRI",
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
		log, err := Read("access.log", strings.NewReader(line(1, "/")+"\n"+text+"\n"+line(2, "/")))
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

func TestReadKeepsTheFirstFiveOnly(t *testing.T) {
	log, err := Read("x", strings.NewReader(strings.Repeat("bad\n", 9)+line(1, "/")))
	require.NoError(t, err)
	require.Equal(t, 9, log.Skipped)
	require.Len(t, log.Bad, 5)
	require.Equal(t, 5, log.Bad[4].Line)
}

func TestReadFatalOnlyWithoutEntries(t *testing.T) {
	_, err := Read("x.log", strings.NewReader("bad\nworse\n"))
	require.ErrorIs(t, err, ErrNoEntries)
	require.ErrorContains(t, err, "x.log:2: unknown format: accepted are common")
	_, err = Read("x.log", strings.NewReader(""))
	require.ErrorIs(t, err, ErrNoEntries)
	_, err = Read("x.log", iotest.ErrReader(errors.New("disk")))
	require.ErrorContains(t, err, "x.log:1: disk")
}

func TestReadSortsAndKeepsTheOrderOfOneInstant(t *testing.T) {
	log, err := Read("x", strings.NewReader(line(5, "/e")+line(3, "/a")+line(5, "/f")+line(3, "/b")))
	require.NoError(t, err)
	var paths string
	for _, e := range log.Entries {
		paths += e.Path
	}
	require.Equal(t, "/a/b/e/f", paths)
	require.Equal(t, 2, log.Disordered)
}

func TestReadDropsAWrongYear(t *testing.T) {
	wrong := strings.Replace(line(4, "/wrong"), "2015", "1915", 1)
	log, err := Read("x", strings.NewReader(wrong+line(1, "/")+line(2, "/")+line(3, "/")))
	require.NoError(t, err)
	require.Len(t, log.Entries, 3)
	require.Equal(t, 1, log.Bad[0].Line)
	require.Contains(t, log.Bad[0].Reason, "wrong year: the time is far from the other entries, 2015-05-17")
}

func TestReadStreamsAnEndlessLine(t *testing.T) {
	log, err := Read("x", iotest.OneByteReader(strings.NewReader(strings.Repeat("y", 300_000)+"\n"+line(1, "/"))))
	require.NoError(t, err)
	require.Len(t, log.Entries, 1)
	require.Equal(t, 2, log.Lines)
}

func FuzzRead(f *testing.F) {
	f.Add(line(1, "/") + "bad\n")
	f.Add(`{"time":"2015-05-17T10:05:03Z","path":"/"}`)
	f.Add("a - - [17/May/2015:10:05:03 +0000] \"GET \\\" / HTTP/1.1\" 200 -\n")
	for _, c := range formats() {
		f.Add(c.line)
	}
	f.Fuzz(func(t *testing.T, text string) {
		log, err := Read("fuzz", strings.NewReader(text))
		if err != nil {
			return
		}
		require.Equal(t, log.Lines, len(log.Entries)+log.Skipped)
		for i, e := range log.Entries {
			require.False(t, i > 0 && e.At.Before(log.Entries[i-1].At))
			require.NotEmpty(t, e.Path)
			require.True(t, isMethod(e.Method), e.Method)
			require.True(t, e.Status == 0 || e.Status >= 100 && e.Status <= 999)
			require.GreaterOrEqual(t, e.Bytes, int64(0))
			again, ok := clientOf(e.Client)
			require.True(t, ok && again == e.Client && (e.Client == "" || isAddress(e.Client) || isName(e.Client)), e.Client)
		}
	})
}

func TestReadShowsTheFirstBadLinesInOrder(t *testing.T) {
	good := `c1 - - [17/May/2015:10:05:03 +0000] "GET /a HTTP/1.1" 200 1` + "\n"
	future := strings.ReplaceAll(good, "2015", "2025")
	log, err := Read("x.log", strings.NewReader(future+good+good+good+strings.Repeat("bad\n", 6)+future))
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

func TestReadLongestLine(t *testing.T) {
	head, tail := `c1 - - [17/May/2015:10:05:03 +0000] "GET /`, ` HTTP/1.1" 200 1`
	fill := func(n int) string { return head + strings.Repeat("a", n-len(head)-len(tail)) + tail + "\n" }
	log, err := Read("x.log", strings.NewReader(fill(MaxLine)+fill(MaxLine+1)))
	require.NoError(t, err)
	require.Len(t, log.Entries, 1)
	require.Len(t, log.Bad, 1)
	require.Equal(t, 2, log.Bad[0].Line)
}
