package query

import (
	"math"
	"slices"
	"strings"
	"time"

	hint "github.com/go-qtests/qtests/qtests/internal/text"
	"github.com/go-qtests/qtests/qtests/monitor/internal/history"
)

// postfix parses a primary expression with what follows it: a range or the range of a
// subquery, offset and @.
func (p *parser) postfix() (node, error) {
	n, err := p.primary()
	if err != nil {
		return nil, err
	}
	for {
		t := p.peek()
		switch {
		case t.kind == "[":
			n, err = p.bracket(n)
		case t.kind == "@":
			err = p.edge(shiftOf(n))
		case t.kind == "name" && strings.EqualFold(t.text, "offset"):
			err = p.offset(shiftOf(n))
		case t.kind == "name" && shiftOf(n) != nil && (strings.EqualFold(t.text, "anchored") || strings.EqualFold(t.text, "smoothed")):
			err = syntax(t.pos, "%s is not evaluated here", t.text)
		default:
			return n, nil
		}
		if err != nil {
			return nil, err
		}
	}
}

// shiftOf returns what offset and @ change of a node, nil where they cannot.
func shiftOf(n node) *shift {
	switch n := n.(type) {
	case *selector:
		return &n.shift
	case *subquery:
		return &n.shift
	}
	return nil
}

// bracket parses the range of a selector, or of a subquery.
func (p *parser) bracket(n node) (node, error) {
	t := p.next()
	span, err := p.duration("a range")
	if err != nil {
		return nil, err
	}
	if op := p.peek(); slices.Contains([]string{"+", "-", "*", "/", "%", "^"}, op.kind) {
		return nil, syntax(op.pos, "a range: arithmetic of durations is not evaluated here")
	}
	if span <= 0 {
		return nil, syntax(t.pos, "a range must be longer than 0")
	}
	if p.accept(":") {
		return p.subquery(n, t, span)
	}
	sel, ok := n.(*selector)
	if !ok || sel.span > 0 || sel.shift != (shift{}) {
		return nil, syntax(t.pos, "a range goes after a selector, once, and before offset and @; a subquery is written [5m:1m]")
	}
	sel.span = span
	return sel, p.expect("]", "a range")
}

// subquery parses the step of a subquery, which may be left out.
func (p *parser) subquery(n node, t token, span time.Duration) (node, error) {
	if n.typ() != Vector {
		return nil, syntax(t.pos, "a subquery is only of an instant vector, not of %s", n.typ().article())
	}
	s := &subquery{arg: n, span: span, step: SubqueryStep}
	if p.peek().kind != "]" {
		var err error
		if s.step, err = p.duration("a step"); err != nil {
			return nil, err
		}
		if s.step <= 0 {
			return nil, syntax(t.pos, "a step must be longer than 0")
		}
	}
	return s, p.expect("]", "a subquery")
}

// offset parses offset 5m.
func (p *parser) offset(s *shift) (err error) {
	t := p.next()
	if s == nil || s.hasOffset {
		return syntax(t.pos, "offset goes after a selector or a subquery, once")
	}
	s.hasOffset = true
	s.offset, err = p.duration("an offset")
	return err
}

// edge parses @ 1600000000, @ start() and @ end().
func (p *parser) edge(s *shift) error {
	t := p.next()
	if s == nil || s.edge != "" {
		return syntax(t.pos, "@ goes after a selector or a subquery, once")
	}
	if w, ok := p.word("start", "end"); ok {
		s.edge = w
		if err := p.expect("(", "@ "+w); err != nil {
			return err
		}
		return p.expect(")", "@ "+w)
	}
	sign := 1.0
	if p.accept("-") {
		sign = -1
	} else {
		p.accept("+")
	}
	n := p.next()
	seconds, err := parseNumber(n.text)
	if n.kind == "duration" {
		var d time.Duration
		d, err = ParseDuration(n.text)
		n.kind, seconds = "number", d.Seconds()
	}
	if n.kind != "number" && !(n.kind == "name" && err == nil) || err != nil {
		return syntax(n.pos, "@: want an instant in seconds, start() or end(), have %q", n.text)
	}
	if !(math.Abs(seconds) < math.MaxInt64/1e9) {
		return syntax(n.pos, "@: the instant %s is out of bounds", n.text)
	}
	s.edge, s.at = "at", int64(math.Round(sign*seconds*1000))*1e6
	return nil
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
		return text(t.text), nil
	case "(":
		n, err := p.binary(0)
		if err != nil {
			return nil, err
		}
		if err := p.expect(")", "a parenthesis"); err != nil {
			return nil, err
		}
		return &paren{n}, nil // (a)[5m] and (a) offset 5m are errors
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
	want := parameters[op]
	if want != "" && len(args) == 2 && args[0].typ() == want {
		a.param, args = args[0], args[1:]
	}
	if len(args) != 1 || args[0].typ() != Vector || want != "" && a.param == nil {
		after := ""
		if want != "" {
			after = " after " + want.article()
		}
		return nil, syntax(t.pos, "%s takes one instant vector%s", op, after)
	}
	a.arg = args[0]
	if err := grouping(); err != nil {
		return nil, err
	}
	a.text = p.since(t)
	return a, nil
}

// since returns the text from a token to the one read last, which is a single character.
func (p *parser) since(t token) string { return p.text[t.pos : p.tokens[p.i-1].pos+1] }

// parameters are what some aggregations take before the vector.
var parameters = map[string]Type{"quantile": Scalar, "topk": Scalar, "bottomk": Scalar, "count_values": String}

// call parses the arguments of a function and checks their types.
func (p *parser) call(t token) (node, error) {
	fn, ok := functions[t.text]
	if !ok {
		return nil, syntax(t.pos, "the function %s is not evaluated here%s", t.text, hint.DidYouMean(t.text, Functions()))
	}
	args, err := p.arguments(t)
	if err != nil {
		return nil, err
	}
	most, least := len(fn.args), len(fn.args)-fn.optional
	if fn.optional == variadic {
		most, least = len(args), len(fn.args)-1
	}
	if len(args) > most || len(args) < least {
		return nil, syntax(t.pos, "%s takes %d arguments, has %d", t.text, len(fn.args), len(args))
	}
	for i, a := range args {
		if want := fn.args[min(i, len(fn.args)-1)]; a.typ() != want {
			return nil, syntax(t.pos, "argument %d of %s: want %s, have %s", i+1, t.text, want.article(), a.typ().article())
		}
	}
	return &call{name: t.text, fn: fn, args: args, shared: shared{text: p.since(t)}}, nil
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
