package template

import (
	"fmt"
	"strings"
	"text/template"
	"time"
)

// head defines the variables that Prometheus' templates use.
const head = `{{$labels := .Labels}}{{$externalLabels := .ExternalLabels}}{{$externalURL := .ExternalURL}}{{$value := .Value}}`

// MaxExpansion bounds, in bytes, what one template may write.
const MaxExpansion = 64 << 10

// A Template is a text with {{…}} in it. It belongs to one goroutine at a time.
type Template struct {
	name, text string
	parsed     *template.Template // nil where the text has nothing to expand
	pieces     []piece            // nil where it has other parts
	env        *environment
}

// An environment is what the functions of one expansion need.
type environment struct {
	at    time.Time
	query QueryFunc
	url   string
}

// Parse reads the text of a label or an annotation of the named alert.
func Parse(alert, text string) (*Template, error) {
	t := &Template{name: "__alert_" + alert, text: text, env: &environment{}}
	if !strings.Contains(text, "{{") {
		return t, nil
	}
	functions := t.env.functions()
	parsed, err := template.New(t.name).Funcs(functions).Option("missingkey=zero").Parse(head + text)
	if err != nil {
		return nil, fmt.Errorf("error parsing template %v: %w", t.name, err)
	}
	t.parsed, t.pieces = parsed, piecesOf(parsed, functions)
	return t, nil
}

// Plain returns the text, where it has nothing to expand.
func (t *Template) Plain() (text string, ok bool) { return t.text, t.parsed == nil }

// Steady reports whether equal labels and values always give the same text.
func (t *Template) Steady() bool {
	return t.parsed == nil || !strings.Contains(t.text, "query") && !strings.Contains(t.text, "now")
}

// ReadsValue reports whether the text may depend on the value.
func (t *Template) ReadsValue() bool { return t.parsed != nil && strings.Contains(t.text, "alue") }

// Data is what all templates of one element of a result see.
type Data struct {
	Labels, ExternalLabels map[string]string
	ExternalURL            string
	Value                  float64
	// At is the instant of the evaluation, and Query evaluates an expression then.
	At    time.Time
	Query QueryFunc
}

// Expand returns the text with the data filled in. Its error has Prometheus' text.
func (t *Template) Expand(d Data) (string, error) {
	if t.parsed == nil {
		return t.text, nil
	}
	if t.pieces != nil {
		if out, ok := fill(t.pieces, d); ok {
			return out, nil
		}
	}
	*t.env = environment{d.At, d.Query, d.ExternalURL}
	defer func() { *t.env = environment{} }()
	var b limitedBuilder
	err := t.parsed.Execute(&b, struct {
		Labels         map[string]string
		ExternalLabels map[string]string
		ExternalURL    string
		Value          any
	}{d.Labels, d.ExternalLabels, d.ExternalURL, d.Value})
	if err != nil {
		return "", fmt.Errorf("error executing template %v: %w", t.name, err)
	}
	return b.String(), nil
}

type limitedBuilder struct{ strings.Builder }

func (b *limitedBuilder) Write(p []byte) (int, error) {
	if b.Len()+len(p) > MaxExpansion {
		return 0, fmt.Errorf("the template writes more than %d bytes", MaxExpansion)
	}
	return b.Builder.Write(p)
}
