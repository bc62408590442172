package history

import (
	"fmt"
	"regexp"
	"strconv"
)

// Op is how a matcher compares.
type Op string

// The four comparisons of Prometheus.
const (
	Equal    Op = "="
	NotEqual Op = "!="
	Match    Op = "=~"
	NotMatch Op = "!~"
)

// A Matcher chooses series by one label. A label that a series does not have
// counts as empty.
type Matcher struct {
	Name  string
	Op    Op
	Value string
	re    *regexp.Regexp
}

// NewMatcher compiles the matcher; regular expressions are RE2's and fully
// anchored.
func NewMatcher(name string, op Op, value string) (Matcher, error) {
	m := Matcher{Name: name, Op: op, Value: value}
	switch op {
	case Equal, NotEqual:
		return m, nil
	case Match, NotMatch:
		re, err := regexp.Compile("^(?s:" + value + ")$")
		if err != nil {
			return m, fmt.Errorf("label %s: %w", name, err)
		}
		m.re = re
		return m, nil
	}
	return m, fmt.Errorf("label %s: unknown comparison %q", name, op)
}

// Matches reports whether a label value is chosen.
func (m Matcher) Matches(value string) bool {
	switch m.Op {
	case Equal:
		return value == m.Value
	case NotEqual:
		return value != m.Value
	case Match:
		return m.re.MatchString(value)
	default:
		return !m.re.MatchString(value)
	}
}

// String returns the matcher as an expression writes it.
func (m Matcher) String() string { return QuoteName(m.Name) + string(m.Op) + strconv.Quote(m.Value) }
