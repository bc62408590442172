package qtests_test

import (
	"bytes"
	"flag"
	"go/ast"
	"go/doc"
	"go/parser"
	"go/printer"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var updateAPI = flag.Bool("update-api", false, "write docs/api/*.txt anew")

// TestAPI compares what the packages export with the lists in docs/api, one file for each
// package, so that a change of the public API is seen in a diff. A change that is meant:
//
//	go test -run TestAPI -update-api .
func TestAPI(t *testing.T) {
	now := map[string]string{}
	for _, dir := range publicPackages(t) {
		now[strings.ReplaceAll(dir, "/", "-")+".txt"] = exported(t, dir)
	}
	if *updateAPI {
		require.NoError(t, os.RemoveAll("docs/api"))
		require.NoError(t, os.MkdirAll("docs/api", 0o755))
		for name, text := range now {
			require.NoError(t, os.WriteFile(filepath.Join("docs/api", name), []byte(text), 0o644))
		}
	}
	lists, err := filepath.Glob("docs/api/*.txt")
	require.NoError(t, err)
	require.Len(t, lists, len(now), "a package came or went: go test -run TestAPI -update-api .")
	for name, text := range now {
		list := readFile(t, filepath.Join("docs/api", name))
		require.Equal(t, strings.ReplaceAll(list, "\r\n", "\n"), text, "%s: if the change is meant: go test -run TestAPI -update-api .", name)
	}
	require.Contains(t, now["qtests-load.txt"], "\nfunc Run(t tb.TB, s Scenario) *result.Result\n")
	require.Contains(t, now["qtests-load.txt"], "\nfield Scenario.Thresholds []string\n")
	require.Contains(t, now["qtests-breaker.txt"], "\nmethod (b *Breaker) Do(ctx context.Context, f func(context.Context) error) error\n")
}

// publicPackages returns the directories of the packages that others can import.
func publicPackages(t *testing.T) (dirs []string) {
	t.Helper()
	for _, top := range []string{"qtests", "promql", "hpa", "pgwire", "fixtures"} {
		require.NoError(t, filepath.WalkDir(top, func(file string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case d.IsDir() && (d.Name() == "internal" || d.Name() == "testdata" || d.Name() == "cmd" || d.Name() == "cut"):
				return filepath.SkipDir
			case !d.IsDir() && strings.HasSuffix(file, ".go") && !strings.HasSuffix(file, "_test.go"):
				dirs = append(dirs, filepath.ToSlash(filepath.Dir(file)))
			}
			return nil
		}))
	}
	slices.Sort(dirs)
	return slices.Compact(dirs)
}

// exported returns the exported names of a package with their types, a line each, sorted.
func exported(t *testing.T, dir string) string {
	t.Helper()
	fset := token.NewFileSet()
	names, err := filepath.Glob(dir + "/*.go")
	require.NoError(t, err)
	var files []*ast.File
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(fset, name, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		files = append(files, parsed)
	}
	p, err := doc.NewFromFiles(fset, files, "github.com/go-qtests/qtests/"+dir)
	require.NoError(t, err)

	var lines []string
	add := func(words ...string) { lines = append(lines, strings.Join(words, " ")) }
	values := func(kind string, vs []*doc.Value) {
		for _, v := range vs {
			for _, name := range v.Names {
				if ast.IsExported(name) {
					add(kind, name)
				}
			}
		}
	}
	funcs := func(kind string, fs []*doc.Func) {
		for _, f := range fs {
			f.Decl.Doc, f.Decl.Body = nil, nil
			add(kind, strings.TrimPrefix(source(t, fset, f.Decl), "func "))
		}
	}
	values("const", p.Consts)
	values("var", p.Vars)
	funcs("func", p.Funcs)
	for _, x := range p.Types {
		values("const", x.Consts)
		values("var", x.Vars)
		funcs("func", x.Funcs)
		funcs("method", x.Methods)
		for _, spec := range x.Decl.Specs {
			typeLines(t, fset, spec.(*ast.TypeSpec), add)
		}
	}
	slices.Sort(lines)
	return "package " + dir + "\n" + strings.Join(slices.Compact(lines), "\n") + "\n"
}

// typeLines adds a type, and its exported fields or methods.
func typeLines(t *testing.T, fset *token.FileSet, s *ast.TypeSpec, add func(...string)) {
	kind := ""
	switch s.Type.(type) {
	case *ast.StructType:
		kind = "struct"
	case *ast.InterfaceType:
		kind = "interface"
	default:
		kind = source(t, fset, s.Type)
	}
	if s.Assign.IsValid() {
		kind = "= " + kind
	}
	add("type", s.Name.Name, kind)
	for _, field := range fieldsOf(s.Type) {
		of := source(t, fset, field.Type)
		if len(field.Names) == 0 {
			add("embedded", s.Name.Name+":", of)
		}
		for _, n := range field.Names {
			if n.IsExported() {
				add("field", s.Name.Name+"."+n.Name, of)
			}
		}
	}
}

// source prints a node on one line.
func source(t *testing.T, fset *token.FileSet, node any) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, printer.Fprint(&b, fset, node))
	return strings.Join(strings.Fields(b.String()), " ")
}
