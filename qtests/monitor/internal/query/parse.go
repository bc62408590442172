package query

import (
	"slices"
	"strings"

	"github.com/prometheus/common/model"

	"github.com/go-qtests/qtests/qtests/monitor/internal/history"
)

// maxDepth bounds how deep an expression nests, because parsing recurses.
const maxDepth = 200

type parser struct {
	text   string
	tokens []token
	i      int
	depth  int
}

// Parse reads an expression. The error is a *SyntaxError, also for what PromQL
// has and this package does not evaluate.
func Parse(text string) (*Expr, error) {
	tokens, err := lex(text)
	if err != nil {
		return nil, err
	}
	p := &parser{text: text, tokens: tokens}
	root, err := p.binary(0)
	if err != nil {
		return nil, err
	}
	if t := p.peek(); t.kind != "" {
		return nil, syntax(t.pos, "unexpected %q", t.text)
	}
	switch root.typ() {
	case Matrix:
		return nil, syntax(0, "a range vector is only the argument of a function")
	case String:
		return nil, syntax(0, "a string is only the argument of a function")
	}
	return &Expr{text: text, root: root}, nil
}

func (p *parser) peek() token { return p.tokens[p.i] }

func (p *parser) next() token {
	t := p.tokens[p.i]
	if t.kind != "" {
		p.i++
	}
	return t
}

// accept takes the next token when it is of the kind.
func (p *parser) accept(kind string) bool {
	if p.peek().kind == kind {
		p.i++
		return true
	}
	return false
}

// word takes the next token when it is one of the words, in any case.
func (p *parser) word(words ...string) (string, bool) {
	t := p.peek()
	if w := strings.ToLower(t.text); t.kind == "name" && slices.Contains(words, w) {
		p.i++
		return w, true
	}
	return "", false
}

func (p *parser) expect(kind, where string) error {
	if t := p.next(); t.kind != kind {
		return syntax(t.pos, "%s: want %q, have %q", where, kind, t.text)
	}
	return nil
}

// unaryPrecedence lets -2^2 be -(2^2) and -a*b be (-a)*b.
const unaryPrecedence = 6

// binary parses operators of at least the given precedence (precedence climbing).
func (p *parser) binary(least int) (node, error) {
	p.depth++
	defer func() { p.depth-- }()
	if p.depth > maxDepth {
		return nil, syntax(p.peek().pos, "nested deeper than %d", maxDepth)
	}
	lhs, err := p.unary()
	if err != nil {
		return nil, err
	}
	for {
		t := p.peek()
		prec := precedence(t.operator())
		if prec == 0 || prec < least {
			return lhs, nil
		}
		p.next()
		b := &binary{op: t.operator(), lhs: lhs}
		if err := p.modifiers(b); err != nil {
			return nil, err
		}
		right := prec + 1
		if b.op == "^" {
			right = prec // associates to the right
		}
		if b.rhs, err = p.binary(right); err != nil {
			return nil, err
		}
		if err := b.check(t.pos); err != nil {
			return nil, err
		}
		lhs = b
	}
}

func (p *parser) modifiers(b *binary) error {
	if _, ok := p.word("bool"); ok {
		b.boolean = true
	}
	if w, ok := p.word("on", "ignoring"); ok {
		names, err := p.labelNames(w)
		if err != nil {
			return err
		}
		b.matching = matching{on: w == "on", labels: names}
		if w, ok := p.word("group_left", "group_right"); ok {
			b.matching.many = w
			if p.peek().kind == "(" {
				if b.matching.include, err = p.labelNames(w); err != nil {
					return err
				}
			}
		}
	}
	if t := p.peek(); t.kind == "name" {
		switch w := strings.ToLower(t.text); w {
		case "group_left", "group_right":
			return syntax(t.pos, "%s goes after on or ignoring", w)
		case "fill", "fill_left", "fill_right":
			if p.tokens[p.i+1].kind == "(" {
				return syntax(t.pos, "%s is not evaluated here", w)
			}
		}
	}
	return nil
}

func (b *binary) check(pos int) error {
	l, r := b.lhs.typ(), b.rhs.typ()
	compare := b.comparison()
	switch {
	case l == Matrix || r == Matrix:
		return syntax(pos, "%q does not take a range vector", b.op)
	case l == String || r == String:
		return syntax(pos, "%q does not take a string", b.op)
	case b.boolean && !compare:
		return syntax(pos, "bool goes with comparisons only, not with %q", b.op)
	case compare && l == Scalar && r == Scalar && !b.boolean:
		return syntax(pos, "a comparison of two scalars needs bool")
	case isSet(b.op) && (l == Scalar || r == Scalar):
		return syntax(pos, "%q does not take a scalar", b.op)
	case len(b.matching.labels) > 0 && (l == Scalar || r == Scalar):
		return syntax(pos, "on and ignoring go between two vectors only")
	case b.matching.many != "" && isSet(b.op):
		return syntax(pos, "%s does not go with %q", b.matching.many, b.op)
	case b.matching.on && slices.ContainsFunc(b.matching.include, func(name string) bool { return slices.Contains(b.matching.labels, name) }):
		return syntax(pos, "a label of on cannot be one of %s", b.matching.many)
	}
	return nil
}

func (p *parser) unary() (node, error) {
	t := p.peek()
	if t.kind != "-" && t.kind != "+" {
		return p.postfix()
	}
	p.next()
	arg, err := p.binary(unaryPrecedence)
	if err != nil {
		return nil, err
	}
	if arg.typ() == Matrix || arg.typ() == String {
		return nil, syntax(t.pos, "%q does not take %s", t.kind, arg.typ().article())
	}
	if t.kind == "+" {
		return arg, nil
	}
	return &unary{arg}, nil
}

// labelNames parses a parenthesized list of labels.
func (p *parser) labelNames(where string) ([]string, error) {
	if err := p.expect("(", where); err != nil {
		return nil, err
	}
	names := []string{}
	for !p.accept(")") {
		t := p.next()
		if word := strings.ToLower(t.text); !isLabel(t) || t.kind == "name" && (word == "inf" || word == "nan") {
			return nil, syntax(t.pos, "%s: want the name of a label, have %q", where, t.text)
		}
		names = append(names, t.text)
		if p.peek().kind != ")" {
			if err := p.expect(",", where); err != nil {
				return nil, err
			}
		}
	}
	return names, nil
}

// isLabel reports whether a token names a label: a word, or any text in quotes.
func isLabel(t token) bool {
	return t.kind == "name" || t.kind == "string" && model.UTF8Validation.IsValidLabelName(t.text)
}

// matchers parses {a="b", …} after the brace. A text in quotes alone is the name of the
// metric: {"a name", a="b"}.
func (p *parser) matchers(matchers []history.Matcher) ([]history.Matcher, error) {
	for !p.accept("}") {
		m, err := p.matcher(len(matchers) > 0 && matchers[0].Name == history.NameLabel)
		if err != nil {
			return nil, err
		}
		matchers = append(matchers, m)
		if p.peek().kind != "}" {
			if err := p.expect(",", "the matchers"); err != nil {
				return nil, err
			}
		}
	}
	if !slices.ContainsFunc(matchers, func(m history.Matcher) bool { return !m.Matches("") }) {
		return nil, syntax(p.peek().pos, "a selector needs a matcher that does not match the empty string")
	}
	return matchers, nil
}

// matcher parses one matcher.
func (p *parser) matcher(named bool) (history.Matcher, error) {
	name := p.next()
	if !isLabel(name) || name.kind == "name" && strings.Contains(name.text, ":") {
		return history.Matcher{}, syntax(name.pos, "a matcher: want the name of a label, have %q", name.text)
	}
	if next := p.peek().kind; name.kind == "string" && (next == "," || next == "}") {
		if named {
			return history.Matcher{}, syntax(name.pos, "the metric's name is given twice, the second time as %q", name.text)
		}
		return history.NewMatcher(history.NameLabel, history.Equal, name.text)
	}
	op, value := p.next(), p.next()
	if value.kind != "string" {
		return history.Matcher{}, syntax(value.pos, "the matcher of %s: want a string, have %q", name.text, value.text)
	}
	m, err := history.NewMatcher(name.text, history.Op(op.kind), value.text)
	if err != nil {
		return m, syntax(op.pos, "%v", err)
	}
	return m, nil
}
