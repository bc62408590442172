package patch

import (
	"errors"
	"fmt"
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"go/types"
	"path"
	"path/filepath"
	"runtime"
	"sort"
)

// check type-checks the packages that files change, for the platform of this program. It
// returns the file of the first error.
func check(src string, files map[string][]byte) (file string, err error) {
	c := &checker{src: src, files: files, fset: token.NewFileSet(), done: map[string]*types.Package{}}
	dirs := map[string]bool{}
	for name := range files {
		dirs[path.Dir(name)] = true
	}
	c.changed = dirs
	var paths []string
	for dir := range dirs {
		paths = append(paths, dir)
	}
	sort.Strings(paths)
	for _, p := range paths {
		if _, err := c.Import(p); err != nil {
			return c.where, c.cause
		}
	}
	return "", nil
}

// A checker imports packages of the standard library from source, as they are changed.
// It looks into the bodies of functions of changed packages only.
type checker struct {
	src     string
	files   map[string][]byte
	changed map[string]bool
	fset    *token.FileSet
	done    map[string]*types.Package
	where   string // the file, or package, of the first error
	cause   error
}

// fail remembers the first error: it is about the package itself, not about those that
// import it.
func (c *checker) fail(importPath string, err error) error {
	if c.cause != nil {
		return err
	}
	c.where, c.cause = importPath, err
	if e := (types.Error{}); errors.As(err, &e) {
		c.where = path.Join(importPath, filepath.Base(e.Fset.Position(e.Pos).Filename))
	}
	return err
}

// Import is for types.Importer.
func (c *checker) Import(importPath string) (*types.Package, error) {
	if importPath == "unsafe" {
		return types.Unsafe, nil
	}
	if p := c.done[importPath]; p != nil {
		return p, nil
	}
	files, err := c.parse(importPath)
	if err != nil {
		return nil, c.fail(importPath, err)
	}
	conf := types.Config{
		Importer:         c,
		IgnoreFuncBodies: !c.changed[importPath],
		FakeImportC:      true,
		Sizes:            types.SizesFor("gc", runtime.GOARCH),
		Error:            func(error) {},
	}
	p, err := conf.Check(importPath, c.fset, files, nil)
	if err != nil && c.changed[importPath] {
		return nil, c.fail(importPath, err)
	}
	c.done[importPath] = p
	return p, nil
}

// parse parses the files of a package that are built here.
func (c *checker) parse(importPath string) ([]*ast.File, error) {
	dir := filepath.Join(c.src, filepath.FromSlash(importPath))
	if _, err := filepath.Abs(dir); err != nil {
		return nil, err
	}
	ctx := build.Default
	ctx.CgoEnabled = false
	pkg, err := ctx.ImportDir(dir, 0)
	if err != nil {
		// The standard library keeps a few packages of others.
		if pkg, err = ctx.ImportDir(filepath.Join(c.src, "vendor", filepath.FromSlash(importPath)), 0); err != nil {
			return nil, err
		}
	}
	var files []*ast.File
	add := func(name string, text any) error {
		f, err := parser.ParseFile(c.fset, name, text, parser.SkipObjectResolution)
		if err == nil {
			files = append(files, f)
		}
		return err
	}
	for _, base := range pkg.GoFiles {
		name := path.Join(importPath, base)
		var text any
		if t, ok := c.files[name]; ok {
			text = t
		}
		if err := add(filepath.Join(pkg.Dir, base), text); err != nil {
			return nil, err
		}
	}
	for name, text := range c.files {
		if path.Dir(name) == importPath && !contains(pkg.GoFiles, path.Base(name)) {
			if err := add(filepath.Join(pkg.Dir, path.Base(name)), text); err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	return files, nil
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}
