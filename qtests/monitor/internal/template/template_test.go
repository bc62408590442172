package template_test

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/monitor/internal/template"
)

func expand(t *testing.T, text string, d template.Data) (string, error) {
	parsed, err := template.Parse("A", text)
	require.NoError(t, err, text)
	return parsed.Expand(d)
}

// What a text depends on is read from it.
func TestWhatATemplateReads(t *testing.T) {
	for text, want := range map[string][2]bool{
		"$value": {true, false}, "{{ $value }}": {true, true}, "{{ .Value }}": {true, true}, "{{ $labels.a }}": {true, false},
		`{{ query "up" }}`: {false, false}, `{{ with query "up" }}{{ . | first | value }}{{ end }}`: {false, true}, "query now {{ 1 }}": {false, false}, "query now": {true, false},
	} {
		parsed, err := template.Parse("A", text)
		require.NoError(t, err)
		require.Equal(t, want, [2]bool{parsed.Steady(), parsed.ReadsValue()}, text)
	}
}

func TestFunctions(t *testing.T) {
	data := template.Data{
		Labels: map[string]string{"step": "pay", "instance": "db.example.org:5432"}, ExternalLabels: map[string]string{"cluster": "eu"},
		ExternalURL: "http://prom.example.org/here", Value: 0.01234, At: time.UnixMilli(1_500).UTC(),
		Query: func(expr string) ([]template.Sample, error) {
			if expr == "bad" {
				return nil, errors.New("no such thing")
			}
			return []template.Sample{{Labels: map[string]string{"a": "2"}, Value: 7}, {Labels: map[string]string{"a": "1", "__value__": "x"}, Value: 8}}, nil
		},
	}
	for text, want := range map[string]string{
		`nothing`: "nothing",
		`{{ $labels.step }} {{ .Labels.step }} {{ $labels.nope }}|{{ $externalLabels.cluster }} {{ $externalURL }}`: "pay pay |eu http://prom.example.org/here",
		`{{ $value | humanizePercentage }}`:                                                                                   "1.234%",
		`{{ humanize 1234567.0 }} {{ humanize1024 2048.0 }} {{ humanize $value }}`:                                            "1.235M 2ki 12.34m",
		`{{ humanize1024 0.5 }} {{ humanize1024 -1 }} {{ humanize 1e-30 }} {{ humanize "12" }}`:                               "0.5 -1 1e-06y 12",
		`{{ humanizeDuration 93784.0 }} {{ humanizeDuration "0.0045" }} {{ humanizeDuration -61 }}`:                           "1d 2h 3m 4s 4.5ms -1m 1s",
		`{{ humanizeTimestamp 0 }} {{ (toTime 60).Minute }} {{ toDuration 90 }}`:                                              "1970-01-01 00:00:00 +0000 UTC 1 1m30s",
		`{{ parseDuration "1h30m" }} {{ now }}`:                                                                               "5400 1.5",
		`{{ toUpper "a" }}{{ toLower "B" }}{{ title "cd ef-gh" }}{{ printf "%.1f" $value }}`:                                  "AbCd Ef-Gh0.0",
		`{{ match "a.*" "xab" }} {{ reReplaceAll "b(.)" "$1" "abc" }} {{ safeHtml "<b>" }}`:                                   "true ac <b>",
		`{{ stripPort $labels.instance }} {{ stripDomain $labels.instance }} {{ stripDomain "::1" }} {{ stripDomain "a.b" }}`: "db.example.org db:5432 ::1 a",
		`{{ graphLink "a b" }} {{ tableLink "up" }} {{ urlQueryEscape "a b" }} {{ externalURL }} {{ pathPrefix }}`:            "/graph?g0.expr=a+b&g0.tab=0 /graph?g0.expr=up&g0.tab=1 a+b http://prom.example.org/here /here",
		`{{ query "up" | first | value }} {{ range query "up" | sortByLabel "a" }}{{ .Labels.a }}={{ .Value }},{{ end }}`:     "7 1=8,2=7,",
		`{{ with query "up" }}{{ . | first | label "a" }}{{ end }} {{ query "up" | sortByLabel "a" | first | strvalue }}`:     "2 x",
		`{{ define "x" }}{{ .arg0 }}-{{ .arg1 }}{{ end }}{{ template "x" (args 1 "b") }}`:                                     "1-b",
		`{{ if gt $value 2.0 }}high{{ else }}low{{ end }}`:                                                                    "low",
	} {
		got, err := expand(t, text, data)
		require.NoError(t, err, text)
		require.Equal(t, want, got, text)
	}
	for v, want := range map[float64]string{0: "0s", math.Inf(1): "+Inf", 1.5: "1.5s", 3600: "1h 0m 0s", 1e-5: "10us"} {
		data.Value = v
		got, err := expand(t, "{{ $value | humanizeDuration }}", data)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
}

func TestErrors(t *testing.T) {
	_, err := template.Parse("A", `{{ nope "up" }}`)
	require.EqualError(t, err, `error parsing template __alert_A: template: __alert_A:1: function "nope" not defined`)
	for text, want := range map[string]string{
		`{{ humanize "x" }}`:               `error calling humanize: strconv.ParseFloat: parsing "x": invalid syntax`,
		`{{ humanize $labels }}`:           `can't convert map[string]string to float`,
		`{{ query "bad" }}`:                `error calling query: no such thing`,
		`{{ query "none" | first }}`:       `first() called on vector with no elements`,
		`{{ reReplaceAll "(" "a" "b" }}`:   "error parsing regexp",
		`{{ .Nope }}`:                      `can't evaluate field Nope in type struct { Labels map[string]string; ExternalLabels map[string]string; ExternalURL string; Value interface {} }`,
		`{{ (query "one" | first).Nope }}`: `can't evaluate field Nope in type *template.sample`,
		`{{ range $i := 1000000 }}` + strings.Repeat("x", 100) + `{{ end }}`: "writes more than 65536 bytes",
		`{{ parseDuration "1x" }}`: "unknown unit",
		`{{ toTime "NaN" }}`:       "value is NaN or Inf",
		`{{ toDuration "a" }}`:     "invalid syntax",
	} {
		got, err := expand(t, text, template.Data{Query: func(expr string) ([]template.Sample, error) {
			switch expr {
			case "bad":
				return nil, errors.New("no such thing")
			case "one":
				return []template.Sample{{}}, nil
			}
			return nil, nil
		}})
		require.ErrorContains(t, err, want, text)
		require.ErrorContains(t, err, "error executing template __alert_A: ")
		require.Empty(t, got)
	}
	_, err = expand(t, `{{ query "up" }}`, template.Data{})
	require.ErrorContains(t, err, "no queries here")
}

func TestHumanizeAtItsEdges(t *testing.T) {
	for text, want := range map[string]string{
		"humanize 1.0": "1", "humanize 999.0": "999", "humanize 1000.0": "1k", "humanize -1000.0": "-1k", "humanize 0.001": "1m", "humanize 0": "0",
		"humanize1024 1.0": "1", "humanize1024 -1.0": "-1", "humanize1024 1023.0": "1023", "humanize1024 1024.0": "1ki", "humanize1024 0.25": "0.25",
		"humanize 1e30": "1e+06Y",
	} {
		got, err := expand(t, "{{ "+text+" }}", template.Data{})
		require.NoError(t, err, text)
		require.Equal(t, want, got, text)
	}
}

// What a template writes is bounded, all of it together.
func TestMaxExpansion(t *testing.T) {
	for text, fails := range map[string]bool{
		`{{ printf "%65536s" "x" }}`:                           false,
		`{{ printf "%65537s" "x" }}`:                           true,
		`{{ printf "%40000s" "x" }}{{ printf "%25536s" "x" }}`: false,
		`{{ printf "%40000s" "x" }}{{ printf "%25537s" "x" }}`: true,
	} {
		got, err := expand(t, text, template.Data{})
		if fails {
			require.ErrorContains(t, err, "the template writes more than 65536 bytes", text)
		} else {
			require.NoError(t, err, text)
			require.Len(t, got, template.MaxExpansion)
		}
	}
}

func TestPlain(t *testing.T) {
	for text, want := range map[string]bool{"a } b": true, "{{ 1 }}": false} {
		parsed, err := template.Parse("A", text)
		require.NoError(t, err)
		got, plain := parsed.Plain()
		require.Equal(t, want, plain)
		require.Equal(t, text, got)
	}
}
