package qtests_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestDocsAreTrue holds every name in backticks in docs/*.md to what exists: a path, a
// declaration in a file (path.go:Type.Method), a target of the Makefile, or an identifier
// that some package declares. Blocks of Go code are compiled and run elsewhere.
func TestDocsAreTrue(t *testing.T) {
	pages, err := filepath.Glob("docs/*.md")
	require.NoError(t, err)
	require.NotEmpty(t, pages)
	house := declarations(t)
	code, named, blocks := compiledCode(t), 0, 0
	for _, page := range pages {
		text := readFile(t, page)
		for _, b := range codeBlock.FindAllStringSubmatch(text, -1) {
			require.Contains(t, []string{"go", "js", "sh", "text"}, b[1], page)
			if b[1] == "go" {
				blocks++
				require.True(t, strings.Contains(code, b[2]), "%s: neither in examples, nor in examples_test.go, bench or promql:\n%s", page, b[2])
			}
		}
		text = codeBlock.ReplaceAllString(text, "")
		for _, m := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(text, -1) {
			named++
			if why := house.missing(t, m[1]); why != "" {
				t.Errorf("%s: `%s`: %s", page, m[1], why)
			}
		}
		for _, m := range regexp.MustCompile(`\]\(([^)#:]+)\)`).FindAllStringSubmatch(text, -1) {
			require.FileExists(t, filepath.Join("docs", m[1]), "%s links to it", page)
		}
	}
	require.Greater(t, named, 100, "names in backticks")
	require.Greater(t, blocks, 10, "blocks of Go code")
	for _, wrong := range []string{
		"qtests/nothing.go", "qtests/seam.go:nothing", "qtests/load/run.go:run.nothing", "load.Nothing", "Nothing", "make nothing", "breaker.Run",
	} {
		require.NotEmpty(t, house.missing(t, wrong), wrong)
	}
}

// codeBlock finds the kind and the text of a block of code.
var codeBlock = regexp.MustCompile("(?ms)^```(\\w*)\n(.*?)^```$")

// compiledCode returns the code that README and docs may show: each file of it is compiled and run by the gate.
func compiledCode(t *testing.T) string {
	t.Helper()
	examples, err := filepath.Glob("examples/*/*_test.go")
	require.NoError(t, err)
	require.NotEmpty(t, examples)
	var code strings.Builder
	recipes, err := filepath.Glob("realworld/recipe_*_test.go")
	require.NoError(t, err)
	require.NotEmpty(t, recipes)
	for _, file := range append(append(examples, recipes...), "examples_test.go", "bench/breaker_adapter_test.go", "promql/team_test.go") {
		code.WriteString(readFile(t, file) + "\n")
	}
	return code.String()
}

// A house is what the packages of the repository declare.
type house struct {
	files map[string]map[string]bool // by path: Name, Type.Name
	names map[string]bool            // Name, Type.Name, package.Name, package.Type.Name
}

// missing says why a name is none, or "".
func (h house) missing(t *testing.T, name string) string {
	file, within, inFile := strings.Cut(name, ".go:")
	target, isTarget := strings.CutPrefix(name, "make ")
	switch {
	case inFile && h.files[file+".go"] == nil:
		return "there is no such file"
	case inFile && !h.files[file+".go"][within]:
		return "the file does not declare it"
	case inFile, strings.HasPrefix(name, "go "):
		return ""
	case isTarget:
		if !strings.Contains(readFile(t, "Makefile"), "\n"+target+":") {
			return "the Makefile has no such target"
		}
		return ""
	case strings.Contains(name, "/") || strings.HasSuffix(name, ".go") || strings.HasSuffix(name, ".md"):
		if _, err := os.Stat(name); err != nil {
			return "there is no such path"
		}
		return ""
	case !h.names[name]:
		return "no package declares it"
	}
	return ""
}

func declarations(t *testing.T) house {
	t.Helper()
	h := house{map[string]map[string]bool{}, map[string]bool{}}
	err := filepath.WalkDir(".", func(file string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(file, ".go") {
			return err
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		own := map[string]bool{}
		for _, d := range parsed.Decls {
			for _, name := range declared(d) {
				own[name] = true
				h.names[name], h.names[parsed.Name.Name+"."+name] = true, true
			}
		}
		h.files[filepath.ToSlash(file)] = own
		h.names[parsed.Name.Name] = true
		return nil
	})
	require.NoError(t, err)
	return h
}

// declared returns the names that a declaration makes: Name, and Type.Name of methods, fields
// and the methods of interfaces.
func declared(d ast.Decl) (names []string) {
	if f, ok := d.(*ast.FuncDecl); ok {
		if f.Recv == nil {
			return []string{f.Name.Name}
		}
		return []string{receiver(f.Recv.List[0].Type) + "." + f.Name.Name}
	}
	for _, spec := range d.(*ast.GenDecl).Specs {
		switch s := spec.(type) {
		case *ast.ValueSpec:
			for _, n := range s.Names {
				names = append(names, n.Name)
			}
		case *ast.TypeSpec:
			names = append(names, s.Name.Name)
			for _, field := range fieldsOf(s.Type) {
				for _, n := range field.Names {
					names = append(names, s.Name.Name+"."+n.Name)
				}
			}
		}
	}
	return names
}

func fieldsOf(x ast.Expr) []*ast.Field {
	switch x := x.(type) {
	case *ast.StructType:
		return x.Fields.List
	case *ast.InterfaceType:
		return x.Methods.List
	}
	return nil
}

// receiver returns the name of the type of a receiver.
func receiver(x ast.Expr) string {
	switch x := x.(type) {
	case *ast.StarExpr:
		return receiver(x.X)
	case *ast.IndexExpr:
		return receiver(x.X)
	case *ast.IndexListExpr:
		return receiver(x.X)
	case *ast.Ident:
		return x.Name
	}
	return ""
}
