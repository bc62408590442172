package monitor

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestTemplates(t *testing.T) {
	data := templateData{Labels: map[string]string{"step": "pay"}, Value: 0.01234}
	for text, want := range map[string]string{
		`{{ $labels.step }} {{ .Labels.step }} {{ $labels.nope }}|`:                                 "pay pay |",
		`{{ $value | humanizePercentage }}`:                                                         "1.234%",
		`{{ humanize 1234567.0 }} {{ humanize1024 2048.0 }} {{ humanize $value }}`:                  "1.235M 2ki 12.34m",
		`{{ humanizeDuration 93784.0 }} {{ humanizeDuration "0.0045" }} {{ humanizeDuration -61 }}`: "1d 2h 3m 4s 4.5ms -1m 1s",
		`{{ toUpper "a" }}{{ toLower "B" }}{{ title "c" }}{{ printf "%.1f" $value }}`:               "AbC0.0",
	} {
		parsed, err := parseTemplates(map[string]string{"x": text})
		require.NoError(t, err, text)
		got, err := execute(parsed["x"], data)
		require.NoError(t, err, text)
		require.Equal(t, want, got)
	}
	_, err := parseTemplates(map[string]string{"x": "{{ query \"up\" }}"})
	require.ErrorContains(t, err, `function "query" not defined`)
	for _, bad := range []string{`{{ humanize "x" }}`, `{{ humanize $labels }}`, `{{ range $i := 1000000 }}` + strings.Repeat("x", 100) + `{{ end }}`} {
		parsed, err := parseTemplates(map[string]string{"x": bad})
		require.NoError(t, err)
		_, err = execute(parsed["x"], data)
		require.Error(t, err)
	}
	for v, want := range map[float64]string{0: "0s", math.Inf(1): "+Inf", 1.5: "1.5s", 3600: "1h 0m 0s", 1e-5: "10us"} {
		require.Equal(t, want, humanizeDuration(v))
	}
}

func TestTransitionJSON(t *testing.T) {
	data, err := Transition{At: time.Unix(0, 0).UTC(), Alert: "A", Labels: Labels{"b": "c"}, From: Inactive, To: Pending, Value: math.NaN()}.MarshalJSON()
	require.NoError(t, err)
	require.JSONEq(t, `{"at":"1970-01-01T00:00:00Z","alert":"A","labels":{"b":"c"},"from":"inactive","to":"pending","value":"NaN"}`, string(data))
	require.Equal(t, `{b="c"}`, Labels{"b": "c"}.String())
	require.Equal(t, `m{b="c"}`, Series{Name: "m", Labels: Labels{"b": "c"}}.String())
	_, ok := Series{}.Last()
	require.False(t, ok)
}

func TestReads(t *testing.T) {
	m, err := New(Config{})
	require.NoError(t, err)
	defer m.Close()
	_, err = m.Query("up >", time.Time{})
	require.ErrorContains(t, err, `monitor: "up >": at character 5`)
	_, err = m.QueryRange("up", time.Unix(0, 0), time.Unix(20_000, 0), time.Second)
	require.ErrorContains(t, err, "more than 11000 steps")
	_, err = m.QueryRange("up", time.Unix(0, 0), time.Unix(1, 0), 0)
	require.ErrorContains(t, err, "step 0s is not positive")
	got, err := m.QueryRange("vector(time()) > 1", time.Unix(0, 0), time.Unix(3, 0), time.Second)
	require.NoError(t, err)
	require.Equal(t, []Series{{Labels: Labels{}, Samples: []Sample{{time.Unix(2, 0).UTC(), 2}, {time.Unix(3, 0).UTC(), 3}}}}, got)
	require.Panics(t, func() { Match("a", "(") })
	require.NotEmpty(t, Functions())
}
