package template

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// What is filled in piece by piece is what text/template makes of it, its errors too.
func TestPieces(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	parts := []string{
		"text ", "\n", " 日本 ", "{{ $value }}", "{{$value|humanize}}", "{{ $value | humanizePercentage }}", "{{ $value | humanize1024 }}", "{{ $value | humanizeDuration }}",
		"{{ $labels.job }}", "{{ $labels.nope }}", "{{ $labels.job | title }}", "{{ $labels.job | toUpper | toLower }}", "{{ $labels.size | humanize }}", "{{- $labels.job -}}",
		"{{ $labels.instance | stripPort }}", "{{ $labels.job | humanize }}", "{{ $value | toUpper }}", "{{ $value | humanize | toUpper }}", "{{ $value | humanizeTimestamp }}",
		"{{ $labels.job | humanize | title }}", "{{ $labels.instance | urlQueryEscape }}", strings.Repeat("long ", MaxExpansion/20),
	}
	others := []string{"{{ .Value }}", `{{ printf "%.2f" $value }}`, "{{ if $value }}x{{ end }}", "{{ $externalURL }}", "{{ $x := $value }}", "{{ $labels }}", "{{ 1 }}", "{{ $labels.job | reReplaceAll \"a\" \"b\" }}"}
	filled, failed := 0, 0
	for range 3000 {
		text := ""
		for range 1 + r.IntN(5) {
			text += parts[r.IntN(len(parts))]
		}
		if r.IntN(4) == 0 {
			text += others[r.IntN(len(others))]
		}
		quick, err := Parse("A", text)
		require.NoError(t, err, text)
		slow, err := Parse("A", text)
		require.NoError(t, err)
		slow.pieces = nil
		d := Data{
			Labels: map[string]string{"job": "api", "instance": "a.b:8080", "size": "1e6"}, ExternalURL: "http://localhost",
			Value: []float64{0, 1, -1.5, 1e9, 1e-9, math.NaN(), math.Inf(1), 123456.789}[r.IntN(8)],
		}
		got, errGot := quick.Expand(d)
		want, errWant := slow.Expand(d)
		require.Equal(t, errWant, errGot, text)
		require.Equal(t, want, got, text)
		if quick.pieces != nil {
			filled++
		}
		if errGot != nil {
			failed++
		}
	}
	require.Greater(t, filled, 1000)
	require.Greater(t, failed, 100)
}
