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
		var p piece
		ok := false
		switch n := n.(type) {
		case *parse.TextNode:
			p, ok = piece{text: string(n.Text)}, len(n.Text) > 0
		case *parse.ActionNode:
			p, ok = pieceOf(n.Pipe, functions)
		}
		if !ok {
			return nil
		}
		out = append(out, p)
	}
	return out
}

// pieceOf reads $labels.name | f | g, or the same of $value.
func pieceOf(pipe *parse.PipeNode, functions template.FuncMap) (p piece, ok bool) {
	if len(pipe.Decl) > 0 || len(pipe.Cmds[0].Args) != 1 {
		return p, false
	}
	v, ok := pipe.Cmds[0].Args[0].(*parse.VariableNode)
	switch {
	case ok && len(v.Ident) == 2 && v.Ident[0] == "$labels":
		p.label = v.Ident[1]
	case !ok || len(v.Ident) != 1 || v.Ident[0] != "$value":
		return p, false
	}
	for _, c := range pipe.Cmds[1:] {
		id, ok := c.Args[0].(*parse.IdentifierNode)
		if !ok || len(c.Args) != 1 {
			return p, false
		}
		switch f := functions[id.Ident].(type) {
		case func(any) (string, error):
			p.pipe = append(p.pipe, f)
		case func(string) string:
			if p.label == "" && len(p.pipe) == 0 {
				return p, false // an error of text/template
			}
			p.pipe = append(p.pipe, func(v any) (string, error) { return f(v.(string)), nil })
		default:
			return p, false
		}
	}
	return p, true
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
	var v any = d.Value
	switch {
	case p.text != "":
		return p.text, nil
	case p.label != "":
		v = d.Labels[p.label]
	}
	for _, f := range p.pipe {
		out, err := f(v)
		if err != nil {
			return "", err
		}
		v = out
	}
	return fmt.Sprint(v), nil
}
