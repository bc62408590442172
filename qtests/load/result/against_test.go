package result

import (
	"bytes"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A figure differs beyond the tolerance and a least amount, and in real time beyond what noise explains.
func TestSummaryAgainst(t *testing.T) {
	for _, tc := range []struct {
		name       string
		was, now   float64
		noise      float64
		real       bool
		sign, by   string
		tolerance  float64
		before, is string
	}{
		{"p(99)", 0.1, 0.2, 0, false, "✗", "+100.0%", 0.05, "100ms", "200ms"},
		{"p(99)", 0.2, 0.1, 0, false, "✓", "-50.0%", 0.05, "200ms", "100ms"},
		{"p(99)", 0.1, 0.104, 0, false, " ", "+4.0%", 0.05, "100ms", "104ms"},
		{"p(99)", 0.0001, 0.00019, 0, false, " ", "+90.0%", 0.05, "100µs", "190µs"}, // less than 100 µs
		{"step(a).avg", 0.001, 0.0012, 0, false, "✗", "+20.0%", 0.05, "1ms", "1.2ms"},
		{"errors", 0, 0.01, 0, false, "✗", "from zero", 0.05, "0%", "1%"},
		{"errors", 0.01, 0.0104, 0, false, " ", "+4.0%", 0.01, "1%", "1.04%"}, // less than 0.05%
		{"errors", 0, 0, 0, false, " ", "same", 0.05, "0%", "0%"},
		{"rate", 100, 50, 0, false, "✗", "-50.0%", 0.05, "100/s", "50/s"},
		{"goodput", 50, 100, 0, false, "✓", "+100.0%", 0.05, "50/s", "100/s"},
		{"rate", 100, 50, 24, true, "✗", "-50.0%", 0.05, "100/s", "50/s"},
		{"rate", 100, 50, 25, true, " ", "-50.0%", 0.05, "100/s", "50/s"}, // the intervals touch
		{"rate", 50, 100, 25, true, " ", "+100.0%", 0.05, "50/s", "100/s"},
		{"rate", 50, 100, 24, true, "✓", "+100.0%", 0.05, "50/s", "100/s"},
		{"rate", 100, 150, 0, false, " ", "+50.0%", 0.5, "100/s", "150/s"}, // as much as the tolerance
		{"rate", 50, 100, 100, false, "✓", "+100.0%", 0.05, "50/s", "100/s"},
	} {
		figure := func(x float64) []Figure {
			return []Figure{{"lonely", x, x, x}, {tc.name, x, x - tc.noise, x + tc.noise}}
		}
		for _, real := range [][2]bool{{tc.real, false}, {false, tc.real}} {
			all := Summary{Real: real[0], Figures: figure(tc.now)}.Against(Summary{Real: real[1], Figures: figure(tc.was)[1:]}, tc.tolerance)
			require.Len(t, all, 1, "the other figure is in one of both")
			require.Equal(t, []string{tc.sign, tc.name, tc.before, tc.is, tc.by}, all[0].Row(), "%+v", tc)
		}
	}
}

// A hundred response times of 1 to 100 ms, ten of them errors, in ten seconds.
func TestSummary(t *testing.T) {
	r := &Result{Scenario: "shop", Duration: 10 * time.Second, Elapsed: 10 * time.Second, Scheduled: 100, Started: 100, Finished: 100, Errors: 10, Interval: time.Second}
	for i := range 100 {
		r.Response.Record(time.Duration(i+1) * time.Millisecond)
	}
	for i := range 10 {
		r.Timeline = append(r.Timeline, Point{Offset: time.Duration(i) * time.Second, Finished: 10, P99: time.Duration(i+1) * time.Millisecond})
	}
	r.Checks = []CheckResult{{Name: "c", Passed: 75, Total: 100}, {Name: "none"}}
	s := r.Summary(true)
	want := map[string][3]float64{
		"p(50)":           {0.050, 0.037, 0.063}, // ranks 50 ± 2.576·5
		"p(95)":           {0.095, 0.089, 0.1},   // 95 ± 5.6: there are no more values
		"rate":            {10, 10 - 2.576, 10 + 2.576},
		"goodput":         {9, 9 - 2.576*math.Sqrt(90)/10, 9 + 2.576*math.Sqrt(90)/10},
		"errors":          {0.1, 0.1 - 2.576*0.03 - 0.01, 0.1 + 2.576*0.03 + 0.01},
		"dropped":         {0, 0, 0.01},
		"check(c).failed": {0.25, 0.25 - 2.576*math.Sqrt(0.25*0.75)/10 - 0.01, 0.25 + 2.576*math.Sqrt(0.25*0.75)/10 + 0.01},
		"avg":             {0.0505, 0.0505 - 2.576*0.0290115/10, 0.0505 + 2.576*0.0290115/10},
	}
	got := map[string]Figure{}
	for _, f := range s.Figures {
		got[f.Name] = f
	}
	require.NotContains(t, got, "check(none).failed")
	for name, w := range want {
		f := got[name]
		require.InEpsilon(t, 1+w[0], 1+f.Value, 1e-4, name)
		require.InEpsilon(t, 1+w[1], 1+f.Low, 2e-4, name)
		if name != "p(95)" {
			require.InEpsilon(t, 1+w[2], 1+f.High, 2e-4, name)
		}
	}
	require.Equal(t, LongestDuration.Seconds(), got["p(95)"].High, "so few values bound it by nothing")
	require.Equal(t, time.Second, s.Interval)
	require.Equal(t, []int{10, 10}, []int{len(s.Rate), len(s.P99)})
	require.Equal(t, float32(10), s.Rate[0])
	require.Equal(t, float32(0.01), s.P99[9])
	require.Zero(t, poisson(100, 0))
	for x, want := range map[float64]float64{0: 0, 1234567: 1234570, -1234567: -1234570, 0.00123456789: 0.00123457, 1e-9: 1e-9} {
		require.InDelta(t, want, rounded(x), math.Abs(want)*1e-12)
	}
}

// A summary of very many steps has the first ones, and reads as it was written.
func TestSummaryIsBounded(t *testing.T) {
	r := &Result{Scenario: "shop", Timeline: make([]Point, 250), Interval: time.Second}
	for i := range 200 {
		step := StepResult{Name: fmt.Sprint("step", i), Finished: 1}
		step.Response.Record(time.Second)
		r.Steps = append(r.Steps, step)
	}
	for n, whole := range map[int]bool{20: true, 200: false} {
		part := *r
		part.Steps = r.Steps[:n]
		s := part.Summary(false)
		require.Len(t, s.P99, 84, "three intervals in one")
		require.Equal(t, 3*time.Second, s.Interval)
		var b bytes.Buffer
		require.NoError(t, s.WriteJSON(&b))
		require.LessOrEqual(t, b.Len(), MaxSummaryBytes)
		require.True(t, strings.HasSuffix(b.String(), "}\n"))
		back, err := ReadSummary(&b)
		require.NoError(t, err)
		if whole {
			require.Equal(t, s, back)
			continue
		}
		require.Equal(t, s.Figures[:len(back.Figures)], back.Figures)
		fits := len(s.Figures)
		for tooLong := true; tooLong; {
			fits = fits * 3 / 4
			s.Figures = s.Figures[:fits]
			text, err := s.encode()
			require.NoError(t, err)
			tooLong = len(text) > MaxSummaryBytes
		}
		require.Len(t, back.Figures, fits)
	}
	_, err := ReadSummary(strings.NewReader(strings.Repeat(" ", MaxSummaryBytes+1)))
	require.ErrorContains(t, err, "longer than 10240 bytes")
	for text, want := range map[string]string{
		`{"version":99}`: "is of version 99",
		fmt.Sprintf(`{"version":%d,"p99_s":[1]}`, Version):                                                              "curves of 1 and 0 intervals",
		fmt.Sprintf(`{"version":%d,"p99_s":[1],"rate":[1]}`, Version):                                                   "curves of 1 and 1 intervals of 0s",
		fmt.Sprintf(`{"version":%d,"figures":[{"name":"a","value":3,"low":1,"high":2}]}`, Version):                      `figure "a": 3 is not between 1 and 2`,
		fmt.Sprintf(`{"version":%d,"figures":[{"name":"a","value":1,"low":2,"high":3}]}`, Version):                      `figure "a": 1 is not between 2 and 3`,
		fmt.Sprintf(`{"version":%d,"figures":[{"name":"","value":2,"low":2,"high":2}],"interval_ns":1}`, Version):       `figure ""`,
		fmt.Sprintf(`{"version":%d,"p99_s":[%s1],"rate":[%[2]s1],"interval_ns":1}`, Version, strings.Repeat("1,", 100)): "curves of 101",
	} {
		_, err := ReadSummary(strings.NewReader(text))
		require.ErrorContains(t, err, want)
	}
	_, err = ReadSummary(strings.NewReader(fmt.Sprintf(`{"version":%d,"figures":[{"name":"a","value":2,"low":2,"high":2}],"p99_s":[%s1],"rate":[%[2]s1],"interval_ns":1}`, Version, strings.Repeat("1,", 99))))
	require.NoError(t, err)
}
