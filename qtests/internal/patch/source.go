package patch

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/printer"
	"go/token"

	"github.com/go-qtests/qtests/qtests/internal/splice"
)

// A source is one file, parsed, and what is to be put into it.
type source struct {
	name    string
	text    []byte
	fset    *token.FileSet
	file    *ast.File
	splices []splice.Splice
}

func parse(name string, text []byte) (*source, error) {
	s := &source{name: name, text: text, fset: token.NewFileSet()}
	var err error
	s.file, err = parser.ParseFile(s.fset, name, text, parser.ParseComments|parser.SkipObjectResolution)
	return s, err
}

func (s *source) offset(p token.Pos) int { return s.fset.Position(p).Offset }

func (s *source) line(p token.Pos) int { return s.fset.Position(p).Line }

// of returns the source text of n.
func (s *source) of(n ast.Node) string {
	var b bytes.Buffer
	if err := printer.Fprint(&b, s.fset, n); err != nil {
		return ""
	}
	return b.String()
}

// scope finds what a change is in: a function by name, a method by Type.name, or a type,
// a variable or a constant by name. An empty name is the whole file.
func (s *source) scope(name string) (ast.Node, error) {
	if name == "" {
		return s.file, nil
	}
	var found []ast.Node
	for _, d := range s.file.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if funcName(d) == name {
				found = append(found, d)
			}
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				if declares(spec, name) {
					found = append(found, d)
				}
			}
		}
	}
	if len(found) != 1 {
		return nil, fmt.Errorf("%d declarations of %s, not one", len(found), name)
	}
	return found[0], nil
}

func funcName(d *ast.FuncDecl) string {
	if d.Recv == nil || len(d.Recv.List) != 1 {
		return d.Name.Name
	}
	t := d.Recv.List[0].Type
	if star, ok := t.(*ast.StarExpr); ok {
		t = star.X
	}
	if index, ok := t.(*ast.IndexListExpr); ok {
		t = index.X
	}
	if id, ok := t.(*ast.Ident); ok {
		return id.Name + "." + d.Name.Name
	}
	return d.Name.Name
}

func declares(spec ast.Spec, name string) bool {
	switch spec := spec.(type) {
	case *ast.TypeSpec:
		return spec.Name.Name == name
	case *ast.ValueSpec:
		for _, id := range spec.Names {
			if id.Name == name {
				return true
			}
		}
	}
	return false
}
