package report

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func value(x float64) *Value { v := Value(x); return &v }

func TestPageEscapesAndRepeats(t *testing.T) {
	p := Page{
		Title: "<script>alert(1)</script>", Verdict: "PASS", Tone: "good", Span: 10,
		Charts: []Chart{{Title: "a</script>", Unit: Rate, Series: []Series{{Name: "s", Width: 1, Values: []*Value{value(1), nil, value(0.1)}}}}},
		Marks:  []Mark{{At: 1, Kind: "event", Who: "event", Text: "</script><b>"}},
		Tables: []Table{{Title: "T", Head: []string{"h"}, Rows: [][]Cell{Cells("1,000"), {{Text: "broken", Tone: "bad"}}}}},
	}
	var first, second strings.Builder
	require.NoError(t, p.Write(&first))
	require.NoError(t, p.Write(&second))
	require.Equal(t, first.String(), second.String())
	require.NotContains(t, first.String(), "<script>alert")
	require.Equal(t, 2, strings.Count(first.String(), "</script>"), "text does not end a script")
	require.Contains(t, first.String(), `"values":[1,null,0.1]`)
	require.Contains(t, first.String(), `<td class="n">1,000</td>`)
	require.Contains(t, first.String(), `<span class="tone bad">broken</span>`)
}

func TestPageWithoutATimeAxisIsAnError(t *testing.T) {
	for _, span := range []float64{0, -1, math.NaN(), math.Inf(1)} {
		require.ErrorContains(t, Page{Span: span}.Write(nil), "Page.Span")
	}
}

func TestValuesThatAreNotFiniteAreGaps(t *testing.T) {
	for x, want := range map[float64]string{0.1: "0.1", math.Inf(1): "null", 1e6: "1e+06"} {
		got, err := json.Marshal(Value(x))
		require.NoError(t, err)
		require.JSONEq(t, want, string(got))
	}
	got, err := json.Marshal(Value(math.NaN()))
	require.NoError(t, err)
	require.Equal(t, "null", string(got))
}

// A figure is not broken into lines; an expression that begins with a number has to be.
func TestFigures(t *testing.T) {
	for text, want := range map[string]bool{
		"": false, "12": true, "0.25": true, "1h23m30s": true, "12 of 20 (60 %)": true, "2015-05-17 10:06:30 (1m30s)": true, "2015-05-19 19:05:00.000123456 (57h0m0.008s)": true, "-1": false, "up == 0": false,
		"100 * sum(rate(errors_total[5m])) > 10": false, "1 - avg(rate(node_cpu_seconds_total[5m]))": false,
	} {
		require.Equal(t, want, Cell{Text: text}.Numeric(), text)
	}
	for first := range byte(128) {
		require.Equal(t, strings.IndexByte("0123456789", first) >= 0, Cell{Text: string(first)}.Numeric(), "%q", first)
	}
	require.True(t, Cell{Text: strings.Repeat("1", maxNumeric)}.Numeric())
	require.False(t, Cell{Text: strings.Repeat("1", maxNumeric+1)}.Numeric())
}

// Lines of a panel have eight colours, in turn.
func TestPanel(t *testing.T) {
	lines := make([]Series, MaxLines+1)
	c := Panel("up", lines[:MaxLines], "")
	require.Len(t, c.Series, MaxLines)
	require.Empty(t, c.Note)
	for i, s := range c.Series {
		require.Equal(t, i%8, s.Color)
	}
	require.Equal(t, "the first 20 of 21 series", Panel("up", lines, "").Note)
	require.Equal(t, "no series", Panel("up", nil, "").Note)
	require.Equal(t, "no", Panel("up", nil, "no").Note)
}
