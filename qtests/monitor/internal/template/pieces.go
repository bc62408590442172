package template

import (
	"fmt"
	"strings"
	"text/template"
	"text/template/parse"
)

// A piece is a part of a template that needs no interpreter: a text, or a label or the
// value with functions of one argument after it. Most annotations have no other parts, and
// text/template takes ten times as long for them.
type piece struct {
	text  string
	label string // or, where both are empty, the value
	pipe  []func(any) (string, error)
}

// piecesOf returns the pieces of a template, or nil where it has other parts.
func piecesOf(parsed *template.Template, functions template.FuncMap) []piece {
	nodes := parsed.Root.Nodes[strings.Count(head, "{{"):]
	out := make([]piece, 0, len(nodes))
	for _, n := range nodes {
		p, ok := read(n, functions)
		if !ok {
			return nil
		}
		out = append(out, p)
	}
	return out
}

func read(n parse.Node, functions template.FuncMap) (p piece, ok bool) {
	switch n := n.(type) {
	case *parse.TextNode:
		return piece{text: string(n.Text)}, len(n.Text) > 0
	case *parse.ActionNode:
		return pieceOf(n.Pipe, functions)
	}
	return p, false
}

// pieceOf reads $labels.name | f | g, or the same of $value.
func pieceOf(pipe *parse.PipeNode, functions template.FuncMap) (p piece, ok bool) {
	if p.label, ok = subject(pipe); !ok {
		return p, false
	}
	for i, c := range pipe.Cmds[1:] {
		id, ok := c.Args[0].(*parse.IdentifierNode)
		if !ok || len(c.Args) != 1 {
			return p, false
		}
		f := filter(functions[id.Ident], p.label != "" || i > 0)
		if f == nil {
			return p, false
		}
		p.pipe = append(p.pipe, f)
	}
	return p, true
}

// subject returns the label that an action begins with; it is empty of $value.
func subject(pipe *parse.PipeNode) (label string, ok bool) {
	v, ok := pipe.Cmds[0].Args[0].(*parse.VariableNode)
	if !ok || len(pipe.Decl) > 0 || len(pipe.Cmds[0].Args) != 1 {
		return "", false
	}
	if len(v.Ident) == 2 && v.Ident[0] == "$labels" {
		return v.Ident[1], true
	}
	return "", len(v.Ident) == 1 && v.Ident[0] == "$value"
}

// filter returns a function of one argument; it is nil where that has to be a text and is
// none, which is an error of text/template.
func filter(f any, text bool) func(any) (string, error) {
	switch f := f.(type) {
	case func(any) (string, error):
		return f
	case func(string) string:
		if text {
			return func(v any) (string, error) { return f(v.(string)), nil }
		}
	}
	return nil
}

// fill returns the text of pieces; it reports false where text/template has an error to
// tell.
func fill(pieces []piece, d Data) (string, bool) {
	var b limitedBuilder
	for _, p := range pieces {
		out, err := p.fill(d)
		if err == nil {
			_, err = b.Write([]byte(out))
		}
		if err != nil {
			return "", false
		}
	}
	return b.String(), true
}

func (p piece) fill(d Data) (string, error) {
	if p.text != "" {
		return p.text, nil
	}
	v := p.begin(d)
	for _, f := range p.pipe {
		out, err := f(v)
		if err != nil {
			return "", err
		}
		v = out
	}
	return fmt.Sprint(v), nil
}

// begin returns what the first function gets.
func (p piece) begin(d Data) any {
	if p.label != "" {
		return d.Labels[p.label]
	}
	return d.Value
}
