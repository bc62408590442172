package query

import (
	"math"
	"slices"
	"strings"
	"time"

	"github.com/go-qtests/qtests/qtests/internal/text"
	"github.com/go-qtests/qtests/qtests/monitor/internal/history"
)

// postfix parses a primary expression with its range and offset.
func (p *parser) postfix() (node, error) {
	n, err := p.primary()
	if err != nil {
		return nil, err
	}
	for {
		t := p.peek()
		sel, isSelector := n.(*selector)
		switch {
		case t.kind == "[":
			p.next()
			if !isSelector || sel.span > 0 || sel.offset != 0 {
				return nil, syntax(t.pos, "a subquery is not evaluated here")
			}
			if sel.span, err = p.duration("a range"); err != nil {
				return nil, err
			}
			if p.peek().kind == ":" {
				return nil, syntax(p.peek().pos, "a subquery is not evaluated here")
			}
			if sel.span <= 0 {
				return nil, syntax(t.pos, "a range must be longer than 0")
			}
			if op := p.peek(); slices.Contains([]string{"+", "-", "*", "/", "%", "^"}, op.kind) {
				return nil, syntax(op.pos, "a range: arithmetic of durations is not evaluated here")
			}
			if err := p.expect("]", "a range"); err != nil {
				return nil, err
			}
		case t.kind == "@":
			return nil, syntax(t.pos, "the @ modifier is not evaluated here")
		case t.kind == "name" && strings.EqualFold(t.text, "offset"):
			p.next()
			if !isSelector || sel.offset != 0 {
				return nil, syntax(t.pos, "offset goes after a selector, once")
			}
			if sel.offset, err = p.duration("an offset"); err != nil {
				return nil, err
			}
		case t.kind == "name" && isSelector && (strings.EqualFold(t.text, "anchored") || strings.EqualFold(t.text, "smoothed")):
			return nil, syntax(t.pos, "%s is not evaluated here", t.text)
		default:
			return n, nil
		}
	}
}

// duration parses 5m, or a number of seconds, with signs before it.
func (p *parser) duration(where string) (time.Duration, error) {
	if p.accept("+") {
		return p.duration(where)
	}
	if p.accept("-") {
		d, err := p.duration(where)
		return -d, err
	}
	t := p.next()
	switch t.kind {
	case "(", "name":
		return 0, syntax(t.pos, "%s: arithmetic of durations is not evaluated here", where)
	case "duration":
		d, err := ParseDuration(t.text)
		if err != nil {
			return 0, syntax(t.pos, "%s: %v", where, err)
		}
		return d, nil
	case "number":
		seconds, err := parseNumber(t.text)
		if err == nil && seconds >= 0 && seconds < math.MaxInt64/1e9 {
			return time.Duration(seconds * 1e9), nil
		}
	}
	return 0, syntax(t.pos, "%s: want a duration such as 5m, have %q", where, t.text)
}

func (p *parser) primary() (node, error) {
	t := p.next()
	switch t.kind {
	case "number":
		v, err := parseNumber(t.text)
		if err != nil {
			return nil, syntax(t.pos, "%q is not a number", t.text)
		}
		return number(v), nil
	case "duration":
		d, _ := ParseDuration(t.text)
		return number(d.Seconds()), nil
	case "string":
		return nil, syntax(t.pos, "a string is not evaluated here")
	case "(":
		n, err := p.binary(0)
		if err != nil {
			return nil, err
		}
		if err := p.expect(")", "a parenthesis"); err != nil {
			return nil, err
		}
		if s, ok := n.(*selector); ok && s.span == 0 {
			// (a)[5m] is a subquery error in PromQL too: hide the selector.
			return &paren{s}, nil
		}
		return n, nil
	case "{":
		matchers, err := p.matchers(nil)
		if err != nil {
			return nil, err
		}
		return &selector{matchers: matchers}, nil
	case "name":
		return p.named(t)
	}
	return nil, syntax(t.pos, "unexpected %q", t.text)
}

// A paren is a selector in parentheses.
type paren struct{ *selector }

// named parses what begins with a word: a number, an aggregation, a function or
// a metric.
func (p *parser) named(t token) (node, error) {
	word := strings.ToLower(t.text)
	opens := p.peek().kind == "("
	switch {
	case word == "inf":
		return number(math.Inf(1)), nil
	case word == "nan":
		return number(math.NaN()), nil
	case aggregations[word] != "":
		if _, ok := p.peekWord("by", "without"); opens || ok {
			return p.aggregation(t, word)
		}
	case opens:
		return p.call(t)
	case slices.Contains([]string{"atan2", "bool", "on", "ignoring", "group_left", "group_right"}, word):
		return nil, syntax(t.pos, "unexpected %q", t.text) // the other words may name a metric
	}
	name, _ := history.NewMatcher(history.NameLabel, history.Equal, t.text)
	matchers := []history.Matcher{name}
	if p.accept("{") {
		var err error
		if matchers, err = p.matchers(matchers); err != nil {
			return nil, err
		}
		for _, m := range matchers[1:] {
			if m.Name == history.NameLabel {
				return nil, syntax(t.pos, "the metric's name is given twice: %s and %s", t.text, m)
			}
		}
	}
	return &selector{matchers: matchers}, nil
}

func (p *parser) peekWord(words ...string) (string, bool) {
	i := p.i
	w, ok := p.word(words...)
	p.i = i
	return w, ok
}

// aggregation parses sum by (a) (x), sum (x) by (a), and quantile (0.9, x).
func (p *parser) aggregation(t token, op string) (node, error) {
	if aggregations[op] == "refused" {
		return nil, syntax(t.pos, "the aggregation %s is not evaluated here", op)
	}
	a := &aggregation{op: op}
	grouping := func() error {
		w, ok := p.word("by", "without")
		if !ok {
			return nil
		}
		if a.labels != nil {
			return syntax(t.pos, "%s is grouped twice", op)
		}
		var err error
		a.labels, err = p.labelNames(w)
		a.without = w == "without"
		return err
	}
	if err := grouping(); err != nil {
		return nil, err
	}
	args, err := p.arguments(t)
	if err != nil {
		return nil, err
	}
	if op == "quantile" && len(args) == 2 && args[0].typ() == Scalar {
		a.param, args = args[0], args[1:]
	}
	if len(args) != 1 || args[0].typ() != Vector || op == "quantile" && a.param == nil {
		return nil, syntax(t.pos, "%s takes one instant vector%s", op, map[bool]string{true: " after a scalar"}[op == "quantile"])
	}
	a.arg = args[0]
	if err := grouping(); err != nil {
		return nil, err
	}
	return a, nil
}

// call parses the arguments of a function and checks their types.
func (p *parser) call(t token) (node, error) {
	fn, ok := functions[t.text]
	if !ok {
		return nil, syntax(t.pos, "the function %s is not evaluated here%s", t.text, text.DidYouMean(t.text, Functions()))
	}
	args, err := p.arguments(t)
	if err != nil {
		return nil, err
	}
	if len(args) > len(fn.args) || len(args) < len(fn.args)-fn.optional {
		return nil, syntax(t.pos, "%s takes %d arguments, has %d", t.text, len(fn.args), len(args))
	}
	for i, a := range args {
		if a.typ() != fn.args[i] {
			return nil, syntax(t.pos, "argument %d of %s: want %s, have %s", i+1, t.text, fn.args[i].article(), a.typ().article())
		}
	}
	return &call{name: t.text, fn: fn, args: args, text: p.text[t.pos : p.tokens[p.i-1].pos+1]}, nil
}

func (p *parser) arguments(t token) ([]node, error) {
	if err := p.expect("(", t.text); err != nil {
		return nil, err
	}
	if p.accept(")") {
		return nil, nil
	}
	var args []node
	for {
		n, err := p.binary(0)
		if err != nil {
			return nil, err
		}
		args = append(args, n)
		if p.accept(")") {
			return args, nil
		}
		if err := p.expect(",", "the arguments of "+t.text); err != nil {
			return nil, err
		}
	}
}
