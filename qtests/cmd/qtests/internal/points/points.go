// Package points prepares the user's code for a search: before each use of something
// that goroutines may share it puts a call of the ordered runtime, at which the turn may
// move. Such a place is a point.
//
// Points are put before: a read and a write of a variable that a function literal
// captures or a package declares, where it is written to more than once; of a field, an
// element or what a pointer points to; between the read and the write of x++, x += y and
// x = f(x); before the operations on channels and maps; and before the methods of sync and
// sync/atomic. A field without an upper-case name that nothing in its package assigns to is
// left out, and so are the elements of a slice that a function makes and keeps.
//
// Only the packages of the main module get points. Each place stays on its line. What a
// program computes does not change, nor the order in which it evaluates: an operand is
// wrapped where it stands. Left alone are files that import "C" and functions with a
// directive like //go:nosplit.
package points

import (
	"bytes"
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

	"github.com/go-qtests/qtests/qtests/internal/site"
)

// A Package is one whose files get points.
type Package struct {
	Path      string            // as it is imported
	Dir       string            // absolute
	Files     []string          // absolute
	GoVersion string            // of its module, such as 1.26, or ""
	Imports   map[string]string // import paths in its files, and what they mean, where that differs
	TestOnly  bool              // all of its files are tests
}

// Exports opens the export data of a package.
type Exports func(path string) (io.ReadCloser, error)

// Add returns the text of the package's files with points, by name, and of the file that is
// added to it. A package without points returns none. An error comes from reading a file; one
// that does not parse, or type-check, is left to the compiler, and gets no points.
func Add(p Package, exports Exports) (map[string][]byte, error) {
	src := &source{fset: token.NewFileSet()}
	for _, name := range p.Files {
		text, err := os.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("points: %w", err)
		}
		f, err := parser.ParseFile(src.fset, name, text, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return nil, nil //nolint:nilerr // the compiler says it better
		}
		src.files = append(src.files, &file{ast: f, name: name, text: text})
	}
	if len(src.files) == 0 || !src.check(p, exports) {
		return nil, nil
	}
	src.findShared()
	out := map[string][]byte{}
	for _, f := range src.files {
		if !importsC(f.ast) {
			if text := src.rewrite(f); text != nil {
				out[f.name] = text
			}
		}
	}
	if len(out) == 0 {
		return nil, nil
	}
	name := filepath.Join(p.Dir, site.HelperFile+".go")
	if p.TestOnly {
		name = filepath.Join(p.Dir, site.HelperFile+"_"+src.files[0].ast.Name.Name+"_test.go")
	}
	out[name] = helpers(src.files[0].ast.Name.Name)
	return out, nil
}

// A source is a package that is read.
type source struct {
	fset   *token.FileSet
	files  []*file
	info   *types.Info
	shared map[types.Object]bool // variables of the package, and those that are captured, that are written to more than once
	fields map[types.Object]bool // fields that are assigned to
	made   map[types.Object]bool // local variables that nothing captures, but for parameters
}

type file struct {
	ast  *ast.File
	name string
	text []byte
}

// check finds the types, and reports whether it could.
func (src *source) check(p Package, exports Exports) bool {
	lookup := func(path string) (io.ReadCloser, error) {
		if to, ok := p.Imports[path]; ok {
			path = to
		}
		return exports(path)
	}
	src.info = &types.Info{
		Types: map[ast.Expr]types.TypeAndValue{}, Uses: map[*ast.Ident]types.Object{}, Defs: map[*ast.Ident]types.Object{},
		Selections: map[*ast.SelectorExpr]*types.Selection{}, Instances: map[*ast.Ident]types.Instance{},
	}
	conf := types.Config{Importer: importer.ForCompiler(src.fset, "gc", lookup), Error: func(error) {}}
	if p.GoVersion != "" {
		conf.GoVersion = "go" + p.GoVersion
	}
	var files []*ast.File
	for _, f := range src.files {
		files = append(files, f.ast)
	}
	_, err := conf.Check(p.Path, src.fset, files, src.info)
	return err == nil
}

func importsC(f *ast.File) bool {
	return slices.ContainsFunc(f.Imports, func(i *ast.ImportSpec) bool { return i.Path.Value == `"C"` })
}

// helpers is the file that the calls need.
func helpers(name string) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "package %s\n%s", name, helperText)
	return b.Bytes()
}

const helperText = `
import "unsafe"

//go:linkname qtestsPoint runtime.orderedPoint
//go:noescape
func qtestsPoint(site uint32, addr, value unsafe.Pointer)

func qtestsR[T any](p *T, site uint32) *T {
	qtestsPoint(site, unsafe.Pointer(p), unsafe.Pointer(p))
	return p
}

func qtestsV[P, T any](p *P, v T, site uint32) T {
	qtestsPoint(site, unsafe.Pointer(p), unsafe.Pointer(&v))
	return v
}

func qtestsC[T any](p *T, v T, site uint32) T {
	qtestsPoint(site, unsafe.Pointer(p), unsafe.Pointer(&v))
	return v
}

func qtestsM[M any](m M, site uint32) M {
	qtestsPoint(site, *(*unsafe.Pointer)(unsafe.Pointer(&m)), nil)
	return m
}

func qtestsMV[M, T any](m M, v T, site uint32) T {
	qtestsPoint(site, *(*unsafe.Pointer)(unsafe.Pointer(&m)), unsafe.Pointer(&v))
	return v
}

func qtestsI[T any](v T, site uint32) T {
	qtestsPoint(site, nil, nil)
	return v
}

func qtestsD[P any](p *P, f func(), site uint32) {
	qtestsPoint(site, unsafe.Pointer(p), nil)
	f()
}
`

// hasDirective reports whether a function may not be changed.
func hasDirective(fn *ast.FuncDecl) bool {
	return fn.Doc != nil && slices.ContainsFunc(fn.Doc.List, func(c *ast.Comment) bool { return strings.HasPrefix(c.Text, "//go:") })
}
