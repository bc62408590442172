package monitor

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"text/template"
	"time"
)

// templateData is what a template of a rule sees, as in Prometheus: $labels and
// $value, or .Labels and .Value.
type templateData struct {
	Labels map[string]string
	Value  float64
}

// templateHead defines the variables that Prometheus' templates use.
const templateHead = `{{$labels := .Labels}}{{$value := .Value}}`

// templateFuncs are those of Prometheus' template functions that need no
// queries, links or HTML.
var templateFuncs = template.FuncMap{
	"humanize":           func(v any) (string, error) { return onNumber(v, func(x float64) string { return humanize(x, 1000) }) },
	"humanize1024":       func(v any) (string, error) { return onNumber(v, func(x float64) string { return humanize(x, 1024) }) },
	"humanizePercentage": func(v any) (string, error) { return onNumber(v, humanizePercentage) },
	"humanizeDuration":   func(v any) (string, error) { return onNumber(v, humanizeDuration) },
	"title":              func(s string) string { return strings.ToUpper(s[:min(1, len(s))]) + s[min(1, len(s)):] },
	"toUpper":            strings.ToUpper,
	"toLower":            strings.ToLower,
}

func parseTemplates(texts map[string]string) (map[string]*template.Template, error) {
	out := make(map[string]*template.Template, len(texts))
	for _, name := range slices.Sorted(maps.Keys(texts)) {
		t, err := template.New(name).Funcs(templateFuncs).Option("missingkey=zero").Parse(templateHead + texts[name])
		if err != nil {
			return nil, fmt.Errorf("%q: %w", texts[name], err)
		}
		out[name] = t
	}
	return out, nil
}

// maxExpansion bounds what one template may write.
const maxExpansion = 64 << 10

func execute(t *template.Template, data templateData) (string, error) {
	var b limitedBuilder
	if err := t.Execute(&b, data); err != nil {
		return "", err
	}
	return b.String(), nil
}

type limitedBuilder struct{ strings.Builder }

func (b *limitedBuilder) Write(p []byte) (int, error) {
	if b.Len()+len(p) > maxExpansion {
		return 0, fmt.Errorf("the template writes more than %d bytes", maxExpansion)
	}
	return b.Builder.Write(p)
}

func onNumber(v any, f func(float64) string) (string, error) {
	switch x := v.(type) {
	case float64:
		return f(x), nil
	case int:
		return f(float64(x)), nil
	case time.Duration:
		return f(x.Seconds()), nil
	case string:
		n, err := strconv.ParseFloat(x, 64)
		if err != nil {
			return "", err
		}
		return f(n), nil
	}
	return "", fmt.Errorf("%T is not a number", v)
}

// humanize writes a number with four digits and a metric prefix.
func humanize(v, base float64) string {
	if v == 0 || math.IsNaN(v) || math.IsInf(v, 0) {
		return fmt.Sprintf("%.4g", v)
	}
	prefix := ""
	if math.Abs(v) >= 1 || base == 1024 {
		prefixes := []string{"k", "M", "G", "T", "P", "E", "Z", "Y"}
		if base == 1024 {
			prefixes = []string{"ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi"}
		}
		for _, p := range prefixes {
			if math.Abs(v) < base {
				break
			}
			prefix, v = p, v/base
		}
		return fmt.Sprintf("%.4g%s", v, prefix)
	}
	for _, p := range []string{"m", "u", "n", "p", "f", "a", "z", "y"} {
		if math.Abs(v) >= 1 {
			break
		}
		prefix, v = p, v*1000
	}
	return fmt.Sprintf("%.4g%s", v, prefix)
}

func humanizePercentage(v float64) string { return fmt.Sprintf("%.4g%%", v*100) }

// humanizeDuration writes seconds as 1d 2h 3m 4s, and below a second as 4.5ms.
func humanizeDuration(v float64) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return fmt.Sprintf("%.4g", v)
	}
	if v == 0 {
		return "0s"
	}
	if math.Abs(v) < 1 {
		return humanize(v, 1000) + "s"
	}
	sign := ""
	if v < 0 {
		sign, v = "-", -v
	}
	d := int64(v)
	s, m, h, days := d%60, d/60%60, d/3600%24, d/86400
	switch {
	case days != 0:
		return fmt.Sprintf("%s%dd %dh %dm %ds", sign, days, h, m, s)
	case h != 0:
		return fmt.Sprintf("%s%dh %dm %ds", sign, h, m, s)
	case m != 0:
		return fmt.Sprintf("%s%dm %ds", sign, m, s)
	}
	return fmt.Sprintf("%s%.4gs", sign, v)
}
