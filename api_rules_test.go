package qtests_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// ofTest finds the parameters by which a helper gets its test, such as (t tb.TB) and (q *qtests.T).
var ofTest = regexp.MustCompile(`^(\*?(testing|qtests)\.(T|B|F|TB)|tb\.TB|\*?T|TB)$`)

// A helper is a function of the packages for users that takes a test.
type helper struct {
	dir, name string
	test      string // the name of the parameter
	place     int    // of the parameter
	body      *ast.BlockStmt
}

// helpers returns the functions of the files of a directory that take a test.
func helpers(t *testing.T, dir string) (found []helper) {
	t.Helper()
	fset := token.NewFileSet()
	files, err := filepath.Glob(dir + "/*.go")
	require.NoError(t, err)
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(fset, name, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		for _, d := range f.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok || fn.Body == nil {
				continue
			}
			place := 0
			for _, p := range fn.Type.Params.List {
				if ofTest.MatchString(source(t, fset, p.Type)) && len(p.Names) > 0 {
					found = append(found, helper{dir, fn.Name.Name, p.Names[0].Name, place, fn.Body})
				}
				place += max(1, len(p.Names))
			}
		}
	}
	return found
}

// fails reports whether a body fails the test, by a method of the test or by giving it to one of the failing.
func (h helper) fails(failing map[string]bool) bool {
	return h.calls(func(call *ast.CallExpr) bool {
		callee := path.Base(h.dir) + "."
		switch f := call.Fun.(type) {
		case *ast.Ident:
			callee += f.Name
		case *ast.SelectorExpr:
			x, ok := f.X.(*ast.Ident)
			if ok && x.Name == h.test {
				return slices.Contains([]string{"Error", "Errorf", "Fatal", "Fatalf", "Fail", "FailNow"}, f.Sel.Name)
			}
			if ok && failing[x.Name+"."+f.Sel.Name] {
				callee = x.Name + "." // of a package
			}
			callee += f.Sel.Name
		}
		return failing[callee] && slices.ContainsFunc(call.Args, func(a ast.Expr) bool { x, ok := a.(*ast.Ident); return ok && x.Name == h.test })
	})
}

// marked reports whether a body marks itself as a helper.
func (h helper) marked() bool {
	return h.calls(func(call *ast.CallExpr) bool {
		f, _ := call.Fun.(*ast.SelectorExpr)
		if f == nil || f.Sel.Name != "Helper" {
			return false
		}
		x, ok := f.X.(*ast.Ident)
		return ok && x.Name == h.test
	})
}

// calls reports whether a body has a call that is so. Function literals are bodies of their own.
func (h helper) calls(so func(*ast.CallExpr) bool) (found bool) {
	ast.Inspect(h.body, func(n ast.Node) bool {
		if call, ok := n.(*ast.CallExpr); ok {
			found = found || so(call)
		}
		_, literal := n.(*ast.FuncLit)
		return !literal
	})
	return found
}

// TestHelpersReadAsOne: what takes a test takes it first, New takes none and NewT does, and what fails a
// test is a helper, so that the failure names the line of the user.
func TestHelpersReadAsOne(t *testing.T) {
	var all []helper
	for _, top := range []string{"qtests", "fixtures"} {
		require.NoError(t, filepath.WalkDir(top, func(dir string, d fs.DirEntry, err error) error {
			switch {
			case err != nil || !d.IsDir():
				return err
			case d.Name() == "testdata" || d.Name() == "kernels":
				return fs.SkipDir
			}
			all = append(all, helpers(t, filepath.ToSlash(dir))...)
			return nil
		}))
	}
	failing := map[string]bool{}
	for n := -1; n < len(failing); {
		n = len(failing)
		for _, h := range all {
			if h.fails(failing) {
				failing[path.Base(h.dir)+"."+h.name] = true
			}
		}
	}
	require.True(t, failing["tb.ClockOf"] && failing["breaker.NewT"] && failing["load.prepareAt"])
	for _, h := range all {
		if ast.IsExported(h.name) && h.place != 0 && !strings.Contains(h.dir, "internal/") {
			t.Errorf("%s: %s takes the test as parameter %d", h.dir, h.name, h.place+1)
		}
		if h.name == "New" && !strings.Contains(h.dir, "internal/") {
			t.Errorf("%s: New takes a test: call it NewT", h.dir)
		}
		if failing[path.Base(h.dir)+"."+h.name] && !h.marked() {
			t.Errorf("%s: %s fails a test and does not call %s.Helper", h.dir, h.name, h.test)
		}
	}
}

// TestEveryPackageHasAnExample: each shows how it is used.
func TestEveryPackageHasAnExample(t *testing.T) {
	for _, dir := range publicPackages(t) {
		files, err := filepath.Glob(dir + "/*_test.go")
		require.NoError(t, err)
		found := slices.ContainsFunc(files, func(f string) bool { return strings.Contains(readFile(t, f), "\nfunc Example") })
		assert.True(t, found, "%s: a func Example", dir)
	}
}
