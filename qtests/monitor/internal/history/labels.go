package history

import (
	"slices"
	"strconv"
	"strings"

	"github.com/prometheus/common/model"
)

// NameLabel is the label that holds the name of a metric.
const NameLabel = "__name__"

// RealPrefix begins the names of metrics that read the real process: Select can
// leave them out.
const RealPrefix = "real_"

// A Label is a name and a value.
type Label struct{ Name, Value string }

// Labels is a label set, sorted by name, each name once and no value empty: an
// empty label is the same as none.
type Labels []Label

// NewLabels sorts the labels and drops those without a value. It owns its argument.
func NewLabels(ls ...Label) Labels {
	ls = slices.DeleteFunc(ls, func(l Label) bool { return l.Value == "" })
	slices.SortFunc(ls, func(a, b Label) int { return strings.Compare(a.Name, b.Name) })
	return ls
}

// FromMap returns the labels of m.
func FromMap(m map[string]string) Labels {
	ls := make([]Label, 0, len(m))
	for name, value := range m {
		ls = append(ls, Label{name, value})
	}
	return NewLabels(ls...)
}

// Map returns the labels as a map.
func (ls Labels) Map() map[string]string {
	m := make(map[string]string, len(ls))
	for _, l := range ls {
		m[l.Name] = l.Value
	}
	return m
}

// Get returns the value of a label, or "".
func (ls Labels) Get(name string) string {
	for i := range ls {
		if ls[i].Name == name {
			return ls[i].Value
		}
	}
	return ""
}

// Name returns the metric's name.
func (ls Labels) Name() string { return ls.Get(NameLabel) }

// With returns a copy in which the label has the value; "" removes it.
func (ls Labels) With(name, value string) Labels {
	out := make(Labels, 0, len(ls)+1)
	for _, l := range ls {
		if l.Name != name {
			out = append(out, l)
		}
	}
	return NewLabels(append(out, Label{name, value})...)
}

// Without returns a copy without the named labels.
func (ls Labels) Without(names ...string) Labels {
	out := make(Labels, 0, len(ls))
	for _, l := range ls {
		if !slices.Contains(names, l.Name) {
			out = append(out, l)
		}
	}
	return out
}

// Only returns a copy with no more than the named labels.
func (ls Labels) Only(names ...string) Labels {
	out := make(Labels, 0, len(names))
	for _, l := range ls {
		if slices.Contains(names, l.Name) {
			out = append(out, l)
		}
	}
	return out
}

// Compare orders label sets as Prometheus does: pair by pair, name before value,
// the shorter first.
func (ls Labels) Compare(other Labels) int {
	for i := range min(len(ls), len(other)) {
		if c := strings.Compare(ls[i].Name, other[i].Name); c != 0 {
			return c
		}
		if c := strings.Compare(ls[i].Value, other[i].Value); c != 0 {
			return c
		}
	}
	return len(ls) - len(other)
}

// Key returns a string that is the same for equal label sets only: 0xff cannot
// occur in UTF-8.
func (ls Labels) Key() string {
	n := 0
	for _, l := range ls {
		n += len(l.Name) + len(l.Value) + 2
	}
	b := make([]byte, 0, n)
	for _, l := range ls {
		b = append(append(b, l.Name...), 0xff)
		b = append(append(b, l.Value...), 0xff)
	}
	return string(b)
}

// String returns the labels as an expression writes them: name{a="b"}, or, with names
// that need quotes, {"a name","a label"="b"}.
func (ls Labels) String() string {
	var pairs []string
	for _, l := range ls.Without(NameLabel) {
		pairs = append(pairs, QuoteName(l.Name)+"="+strconv.Quote(l.Value))
	}
	return Written(ls.Name(), pairs)
}

// Written joins the name of a metric, which may be empty, with what goes into the braces.
func Written(name string, pairs []string) string {
	if name != "" && !model.LegacyValidation.IsValidMetricName(name) {
		name, pairs = "", append([]string{strconv.Quote(name)}, pairs...)
	}
	if len(pairs) == 0 && name != "" {
		return name
	}
	return name + "{" + strings.Join(pairs, ",") + "}"
}

// QuoteName puts the name of a label into quotes where an expression needs them.
func QuoteName(label string) string {
	if model.LegacyValidation.IsValidLabelName(label) {
		return label
	}
	return strconv.Quote(label)
}
