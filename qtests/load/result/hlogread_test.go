package result

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	hdrhistogram "github.com/HdrHistogram/hdrhistogram-go"
	"github.com/stretchr/testify/require"
)

// logged is a result with some times, and its log.
func logged(t testing.TB) (*Result, string) {
	t.Helper()
	r := &Result{Scenario: "s", Start: time.Date(2024, 2, 3, 4, 5, 6, 789e6, time.UTC), Elapsed: 90 * time.Second, Interval: time.Minute}
	step := StepResult{Name: "a b"}
	draw := rand.New(rand.NewPCG(3, 3))
	for range 5000 {
		d := time.Duration(draw.ExpFloat64() * float64(30*time.Millisecond))
		r.Response.Record(d)
		step.Response.Record(2 * d)
	}
	r.Response.Record(26 * time.Hour)
	r.Steps = []StepResult{step}
	r.Buckets = [][]Bucket{{{Top: time.Millisecond, Count: 7}}, {{Top: time.Second, Count: 2}}}
	var b strings.Builder
	require.NoError(t, r.WriteHLog(&b))
	return r, b.String()
}

func TestReadHLogReadsWhatWriteHLogWrote(t *testing.T) {
	want, text := logged(t)
	var lines []HLogLine
	for line, err := range ReadHLog(strings.NewReader(text), 0) {
		require.NoError(t, err)
		lines = append(lines, line)
	}
	require.Len(t, lines, 4)
	require.Equal(t, []string{"", "a_b", "intervals", "intervals"}, []string{lines[0].Tag, lines[1].Tag, lines[2].Tag, lines[3].Tag})
	require.Equal(t, want.Start, lines[0].Start)
	require.Equal(t, 90*time.Second, lines[0].Length)
	require.Equal(t, want.Start.Add(time.Minute), lines[3].Start)
	require.EqualValues(t, 7, lines[2].Histogram.Count())
	for i, h := range []*Histogram{&want.Response, &want.Steps[0].Response} {
		got := &lines[i].Histogram
		require.Equal(t, h.Count(), got.Count())
		for _, p := range []float64{0, 50, 90, 99, 99.9, 100} {
			require.InEpsilon(t, h.Percentile(p), got.Percentile(p), 0.001)
			require.GreaterOrEqual(t, got.Percentile(p), h.Percentile(p))
		}
	}
	for _, err := range ReadHLog(strings.NewReader(text), 0) {
		require.NoError(t, err)
		break // the rest is not read
	}
}

// TestReadHLogOfOtherTools has nanoseconds, relative times, and a base.
func TestReadHLogOfOtherTools(t *testing.T) {
	h := hdrhistogram.New(1, 3_600_000_000_000, 3)
	require.NoError(t, h.RecordValue(5_000_000))
	encoded, err := h.Encode(hdrhistogram.V2CompressedEncodingCookieBase)
	require.NoError(t, err)
	payload := string(encoded)
	for name, c := range map[string]struct {
		head, line string
		unit       time.Duration
		start      time.Time
		value      time.Duration
	}{
		"absolute":     {"#[StartTime: 1700000000.000 (seconds since epoch), x]", "1700000001.500,1.000,5.0," + payload, 0, time.UnixMilli(1700000001500), 5 * time.Millisecond},
		"relative":     {"#[StartTime: 1700000000.000 (seconds since epoch), x]", "1.500,1.000,5.0," + payload, 0, time.UnixMilli(1700000001500), 5 * time.Millisecond},
		"based":        {"#[BaseTime: 1700000000.000 (seconds since epoch)]", "0.127,1.000,5.0," + payload, 0, time.UnixMilli(1700000000127), 5 * time.Millisecond},
		"no start":     {"# nothing", "2.5,1.000,5.0," + payload, 0, time.UnixMilli(2500), 5 * time.Millisecond},
		"microseconds": {`"StartTimestamp","Interval_Length","Interval_Max","Interval_Compressed_Histogram"`, "2.5,1.000,5.0," + payload, time.Microsecond, time.UnixMilli(2500), 5 * time.Second},
		"too long":     {"", "2.5,1.000,5.0," + payload, time.Hour, time.UnixMilli(2500), 24 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			n := 0
			for line, err := range ReadHLog(strings.NewReader("\ufeff"+c.head+"\r\n\nTag=x,"+c.line+"\n"), c.unit) {
				require.NoError(t, err)
				require.True(t, c.start.Equal(line.Start), line.Start)
				require.Equal(t, "x", line.Tag)
				require.InEpsilon(t, c.value, line.Histogram.Max(), 0.001)
				n++
			}
			require.Equal(t, 1, n)
		})
	}
}

func TestReadHLogErrors(t *testing.T) {
	_, text := logged(t)
	for in, want := range map[string]string{
		"nonsense\n":                       "load: hlog: line 1: 1 fields, and not the start",
		"\nTag=a\n":                        "load: hlog: line 2: nothing follows the tag",
		"x,1,1,HISTF\n":                    `line 1: "x" is no number of seconds`,
		"1,-1,1,HISTF\n":                   `line 1: "-1" is no number of seconds`,
		"1,1,1,HISTFAAAA\n":                "line 1: histogram: ",
		"#[StartTime: soon]\n":             `line 1: "soon]" is no number of seconds`,
		text[:len(text)-40]:                "histogram: ",
		strings.Repeat("x", maxHLogLine+1): "line 1: bufio.Scanner: token too long",
		"\x1f\x8b\x08\x00":                 "gzip: ",
	} {
		var last error
		for _, err := range ReadHLog(strings.NewReader(in), 0) {
			require.NoError(t, last, "an error ends the reading")
			last = err
		}
		require.ErrorContains(t, last, want)
	}
}

func FuzzReadHLog(f *testing.F) {
	_, text := logged(f)
	f.Add([]byte(text))
	f.Add([]byte("#[BaseTime: 1.0 (seconds since epoch)]\nTag=a,0.127,1.007,2.769,HISTFAAAAEV42pNpmSz"))
	f.Fuzz(func(t *testing.T, in []byte) {
		for line, err := range ReadHLog(bytes.NewReader(in), 0) {
			if err == nil {
				require.GreaterOrEqual(t, line.Histogram.Count(), int64(0))
				require.LessOrEqual(t, line.Histogram.Max(), LongestDuration)
				require.GreaterOrEqual(t, line.Length, time.Duration(0))
			}
		}
	})
}
