package points

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/go-qtests/qtests/qtests/cmd/qtests/internal/gocmd"
	"github.com/go-qtests/qtests/qtests/internal/site"
)

// library is the package whose bubbles have points, and which therefore can have none, nor
// what it needs.
const library = "github.com/go-qtests/qtests/qtests"

// listed is what go list says of a package.
type listed struct {
	ImportPath, Dir, Name, ForTest, Export string
	GoFiles                                []string
	ImportMap                              map[string]string
	Deps                                   []string
	Module                                 *struct {
		Main      bool
		GoVersion string
	}
}

// Load lists the packages that the patterns name, with their tests and all that they need,
// and returns the text of every file of the main module that gets points, by name. flags are
// those of the build, with the overlay; the export data that they make is what go test uses
// as well. skip are files that something else replaces: their packages get no points.
func Load(ctx context.Context, g *gocmd.Go, flags, patterns []string, skip func(file string) bool) (map[string][]byte, error) {
	all, err := list(ctx, g, flags, patterns)
	if err != nil {
		return nil, err
	}
	exported := map[string]string{}
	for _, p := range all {
		exported[p.ImportPath] = p.Export
	}
	open := func(path string) (io.ReadCloser, error) {
		if exported[path] == "" {
			return nil, fmt.Errorf("no export data of %s", path)
		}
		return os.Open(exported[path])
	}
	files := map[string][]byte{}
	for _, p := range chosen(all) {
		pkg := p.source()
		if slices.ContainsFunc(pkg.Files, skip) {
			continue
		}
		texts, err := Add(pkg, open)
		if err != nil {
			return nil, err
		}
		maps.Copy(files, texts)
	}
	return files, nil
}

func list(ctx context.Context, g *gocmd.Go, flags, patterns []string) ([]*listed, error) {
	args := slices.Concat(flags, []string{"-export", "-deps", "-test", "-json=ImportPath,Dir,Name,ForTest,Export,GoFiles,ImportMap,Deps,Module"}, patterns)
	out, err := g.Output(ctx, "list", args...)
	if err != nil {
		return nil, err
	}
	var all []*listed
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		p := new(listed)
		if err := d.Decode(p); errors.Is(err, io.EOF) {
			return all, nil
		} else if err != nil {
			return nil, fmt.Errorf("go list: %w", err)
		}
		all = append(all, p)
	}
}

// chosen are the packages that get points. Of a package and the same one with its tests it is
// the latter, which has all files.
func chosen(all []*listed) []*listed {
	none := map[string]bool{library: true}
	tested := map[string]bool{}
	for _, p := range all {
		if p.ImportPath == library {
			for _, d := range p.Deps {
				none[d] = true
			}
		}
		if p.ForTest != "" && p.plain() == p.ForTest {
			tested[p.ForTest] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(all), func(p *listed) bool {
		switch {
		case p.Module == nil || !p.Module.Main || strings.HasSuffix(p.ImportPath, ".test"):
			return true
		case none[strings.TrimSuffix(p.plain(), "_test")], ours(p.plain()):
			return true
		case p.ForTest == "":
			return tested[p.ImportPath]
		}
		return p.plain() != p.ForTest && p.plain() != p.ForTest+"_test" // compiled anew because of a test
	})
}

// ours reports whether a package is one of this library, which in the modules of its users has no
// points either. Its tests are not, and neither are the kernels, which stand for a user's code.
func ours(path string) bool {
	return strings.HasPrefix(path, library+"/") && !strings.HasPrefix(path, site.Kernels) && !strings.HasSuffix(path, "_test")
}

// plain is the import path without the test for which the package is compiled.
func (p *listed) plain() string {
	path, _, _ := strings.Cut(p.ImportPath, " ")
	return path
}

// source is a package that gets points, which is one of a module.
func (p *listed) source() Package {
	pkg := Package{Path: p.plain(), Dir: p.Dir, Imports: p.ImportMap, GoVersion: p.Module.GoVersion, TestOnly: true}
	for _, name := range p.GoFiles {
		if !filepath.IsAbs(name) {
			name = filepath.Join(p.Dir, name)
		}
		pkg.Files = append(pkg.Files, name)
		if !strings.HasSuffix(name, "_test.go") {
			pkg.TestOnly = false
		}
	}
	return pkg
}
