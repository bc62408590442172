package main

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// A mutant is one change of one operator. Its column counts from the first letter of the line, from 1.
type mutant struct {
	id           int
	kind, file   string // the file with its path in the repository
	line, column int
	text, state  string
}

// String writes it as .ci/equivalent does.
func (m *mutant) String() string { return fmt.Sprintf("%s %s:%d %s", m.file, m.kind, m.column, m.text) }

// A rewriter puts the mutants of a package into its files: x < y becomes on(7) && x <= y || … || x < y.
type rewriter struct {
	files   *token.FileSet
	info    types.Info
	pkg     *types.Package
	mutants []*mutant
	foreign [][]string // path and name of the types of other packages that get an alias
	file    string
	source  []byte
	skipped map[ast.Node]bool // constants, the lengths of arrays, and cases, which gremlins does not change either
	posts   map[ast.Node]bool // statements after a loop's condition
}

// rewritePackage writes the files of a package anew, and one with the switches.
func rewritePackage(clone, pkg string) []*mutant {
	w := &rewriter{files: token.NewFileSet(), info: types.Info{Types: map[ast.Expr]types.TypeAndValue{}}}
	exports := map[string]string{}
	module := moduleOf(clone, pkg)
	list := func(args ...string) string {
		return output(filepath.Join(clone, module), "go", append(append([]string{"list"}, args...), "./"+relative(module, pkg))...)
	}
	for line := range strings.Lines(list("-export", "-deps", "-f", "{{.ImportPath}} {{.Export}}")) {
		path, file, _ := strings.Cut(strings.TrimSpace(line), " ")
		exports[path] = file
	}
	dir := filepath.Join(clone, pkg)
	var parsed []*ast.File
	names := strings.Fields(list("-f", `{{join .GoFiles "\n"}}`))
	for _, name := range names {
		f, err := parser.ParseFile(w.files, filepath.Join(dir, name), nil, parser.ParseComments|parser.SkipObjectResolution)
		must(err)
		parsed = append(parsed, f)
	}
	open := func(path string) (io.ReadCloser, error) { return os.Open(exports[path]) }
	checker := types.Config{Importer: importer.ForCompiler(w.files, "gc", open)}
	var err error
	w.pkg, err = checker.Check(pkg, w.files, parsed, &w.info)
	must(err)
	for i, f := range parsed {
		path := filepath.Join(dir, names[i])
		w.file = filepath.ToSlash(filepath.Join(pkg, names[i]))
		w.source, err = os.ReadFile(path)
		must(err)
		w.look(f)
		must(os.WriteFile(path, []byte(w.rewrite(f, 0, len(w.source))), 0o644))
	}
	if len(parsed) > 0 {
		imports, aliases := w.declarations()
		text := "package " + parsed[0].Name.Name + "\n" + imports + switches + aliases
		must(os.WriteFile(filepath.Join(dir, "zz_mutants.go"), []byte(text), 0o644))
	}
	return w.mutants
}

// look notes what cannot be changed.
func (w *rewriter) look(f *ast.File) {
	w.skipped, w.posts = map[ast.Node]bool{}, map[ast.Node]bool{}
	skip := func(n ast.Node) {
		ast.Inspect(n, func(m ast.Node) bool { w.skipped[m] = true; return true })
	}
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GenDecl:
			if n.Tok != token.VAR {
				skip(n)
			}
		case *ast.ArrayType:
			skip(n)
		case *ast.CaseClause:
			for _, e := range n.List {
				skip(e)
			}
		case *ast.ForStmt:
			if n.Post != nil {
				w.posts[n.Post] = true
			}
		}
		return true
	})
}

// An edit replaces a part of the source.
type edit struct {
	from, to int
	text     string
}

func (w *rewriter) offset(p token.Pos) int { return w.files.Position(p).Offset }

// raw is a node as it is written, and rewritten the same with its mutants.
func (w *rewriter) raw(n ast.Node) string {
	return string(w.source[w.offset(n.Pos()):w.offset(n.End())])
}
func (w *rewriter) rewritten(n ast.Node) string {
	return w.rewrite(n, w.offset(n.Pos()), w.offset(n.End()))
}

func (w *rewriter) rewrite(root ast.Node, from, to int) string {
	var edits []edit
	ast.Inspect(root, func(n ast.Node) bool {
		text := ""
		switch n := n.(type) {
		case *ast.BinaryExpr:
			text = w.binary(n)
		case *ast.UnaryExpr:
			text = w.negative(n)
		case *ast.IncDecStmt:
			text = w.count(n)
		}
		if text != "" {
			edits = append(edits, edit{w.offset(n.Pos()), w.offset(n.End()), text})
		}
		return text == "" // what is below has been rewritten with it
	})
	slices.SortFunc(edits, func(a, b edit) int { return cmp.Compare(a.from, b.from) })
	var out strings.Builder
	for _, e := range edits {
		out.Write(w.source[from:e.from])
		out.WriteString(e.text)
		from = e.to
	}
	out.Write(w.source[from:to])
	return out.String()
}

// add notes a mutant, and returns its number.
func (w *rewriter) add(kind string, at token.Pos) int {
	p := w.files.Position(at)
	line := strings.Split(string(w.source), "\n")[p.Line-1]
	indent := len(line) - len(strings.TrimLeft(line, " \t"))
	w.mutants = append(w.mutants, &mutant{len(w.mutants) + 1, kind, w.file, p.Line, p.Column - indent, line[indent:], ""})
	return len(w.mutants)
}

// number writes the type of a number, or "" where the file cannot name it.
func (w *rewriter) number(e ast.Expr) string {
	t := w.info.Types[e].Type
	if t == nil {
		return ""
	}
	basic, ok := t.Underlying().(*types.Basic)
	if !ok || basic.Info()&types.IsNumeric == 0 || basic.Info()&types.IsUntyped != 0 {
		return ""
	}
	switch t := t.(type) {
	case *types.Basic:
		return t.Name()
	case *types.Named:
		switch {
		case t.Obj().Parent() != t.Obj().Pkg().Scope() || t.TypeArgs().Len() > 0:
			return ""
		case t.Obj().Pkg() == w.pkg:
			return t.Obj().Name()
		}
		return w.alias(t.Obj())
	}
	return ""
}

// alias names a type of another package, which the file may not import.
func (w *rewriter) alias(t *types.TypeName) string {
	if !t.Exported() {
		return ""
	}
	id := []string{t.Pkg().Path(), t.Name()}
	i := slices.IndexFunc(w.foreign, func(f []string) bool { return slices.Equal(f, id) })
	if i < 0 {
		i, w.foreign = len(w.foreign), append(w.foreign, id)
	}
	return fmt.Sprintf("mutantType%d_", i)
}

// declarations are what the switches need for the aliases: imports, and types.
func (w *rewriter) declarations() (imports, aliases string) {
	for i, f := range w.foreign {
		imports += fmt.Sprintf("import mutantImport%d_ %q\n", i, f[0])
		aliases += fmt.Sprintf("type mutantType%d_ = mutantImport%[1]d_.%s\n", i, f[1])
	}
	return imports, aliases
}
