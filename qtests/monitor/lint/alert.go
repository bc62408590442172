package lint

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/go-qtests/qtests/qtests/monitor/internal/query"
)

// alert looks at what only alerts have.
func (l *linter) alert(i int, add reporter) {
	r, e := l.rules[i], l.exprs[i]
	for _, a := range e.Absents() {
		if len(a.Labels) == 0 {
			add("absent", "the result of %s has no label to say what is missing: its selector has no matcher of equality beside the name", a.Text)
		}
		if r.For == 0 {
			add("absent", "%s fires with the first scrape that fails: give the alert a for", a.Text)
		}
	}
	if !e.Filters(l.filtered) {
		add("always", "the expression compares nothing: the alert fires while it has any element")
	}
	shape := e.Shape()
	texts := map[string]string{"summary": r.Summary}
	maps.Copy(texts, r.Annotations)
	maps.Copy(texts, r.Labels)
	for _, name := range slices.Sorted(maps.Keys(texts)) {
		for _, label := range labelsRead(texts[name]) {
			if !shape.MayHave(label) {
				add("labels", "%s reads $labels.%s, which the result never has%s", name, label, has(shape))
			}
		}
	}
}

func has(s query.Shape) string {
	switch {
	case !s.Closed:
		return ""
	case len(s.Labels) == 0:
		return ": it has no label"
	}
	return ": it has " + strings.Join(s.Labels, ", ")
}

// filtered reports whether a selector reads a metric whose rules all compare something.
func (l *linter) filtered(s query.Selector) bool {
	found := false
	for i, r := range l.rules {
		if r.Record == "" || r.Record != s.Name() {
			continue
		}
		found = true
		// A rule that reads itself would go on for ever.
		if l.exprs[i] == nil || !l.exprs[i].Filters(func(query.Selector) bool { return false }) {
			return false
		}
	}
	return found
}

var (
	action    = regexp.MustCompile(`(?s)\{\{.*?\}\}`)
	labelRead = regexp.MustCompile(`\$labels\.([A-Za-z_][A-Za-z0-9_]*)`)
)

// labelsRead returns the labels that the actions of a template read, each once.
func labelsRead(text string) (out []string) {
	for _, a := range action.FindAllString(text, -1) {
		for _, m := range labelRead.FindAllStringSubmatch(a, -1) {
			if !slices.Contains(out, m[1]) {
				out = append(out, m[1])
			}
		}
	}
	return out
}
