package qtests_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// size is what a package comes to, without its tests. Files for other systems count.
type size struct {
	files    int
	lines    int
	exported int      // names of the package, without methods and fields
	longest  int      // function, in lines
	median   float64  // of the lines of a function
	knot     int      // the most files that all use each other, directly or through others
	lockers  []string // files that lock, at most one
}

// limits are what every package keeps to.
var limits = size{files: 28, lines: 4000, exported: 60, longest: 60, median: 10, knot: 8}

// bugs has programs with a bug each, most of them of locking.
const bugs = "qtests/internal/kernels"

// TestHouseKeepsItsLimits measures every package of this module.
func TestHouseKeepsItsLimits(t *testing.T) {
	if withRaceDetector() || runtime.GOOS != "linux" {
		t.Skip("measured on Linux, without the race detector: it is the same code, but for a few files")
	}
	measured := 0
	h := newMeasurer(t)
	for _, p := range h.own {
		dir := strings.TrimPrefix(p.ImportPath, ownModule+"/")
		if len(p.GoFiles) == 0 || strings.HasPrefix(dir, "examples/") || dir == ownModule {
			continue
		}
		s := h.measure(t, p)
		measured++
		if dir == bugs {
			s.lockers = nil
		}
		for _, over := range s.over(limits) {
			t.Errorf("%s: %s", dir, over)
		}
		if len(s.lockers) > 1 {
			t.Errorf("%s: these files lock, and one should: %v", dir, s.lockers)
		}
	}
	require.Greater(t, measured, 50, "packages")
}

// over says what is above a limit, and by how much.
func (s size) over(most size) (all []string) {
	for _, x := range []struct {
		what     string
		is, most float64
	}{
		{"files", float64(s.files), float64(most.files)},
		{"lines", float64(s.lines), float64(most.lines)},
		{"exported names", float64(s.exported), float64(most.exported)},
		{"lines of its longest function", float64(s.longest), float64(most.longest)},
		{"lines of its median function", s.median, most.median},
		{"files that all use each other", float64(s.knot), float64(most.knot)},
	} {
		if x.is > x.most {
			all = append(all, fmt.Sprintf("%s: %g, and at most %g", x.what, x.is, x.most))
		}
	}
	return all
}

// A listed is what the go command tells of a package.
type listed struct {
	ImportPath, Dir, Export string
	GoFiles, IgnoredGoFiles []string
	Module                  *struct{ Main bool }
}

// A measurer reads the packages of this module, and the export data of all that they import.
type measurer struct {
	own  []listed
	fset *token.FileSet
	from types.Importer
}

func newMeasurer(t *testing.T) *measurer {
	t.Helper()
	out, err := exec.Command("go", "list", "-export", "-deps", "-json=ImportPath,Dir,Export,GoFiles,IgnoredGoFiles,Module", "./...").Output()
	require.NoError(t, err)
	h, exports := &measurer{fset: token.NewFileSet()}, map[string]string{}
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else {
			require.NoError(t, err)
		}
		exports[p.ImportPath] = p.Export
		if p.Module != nil && p.Module.Main {
			h.own = append(h.own, p)
		}
	}
	h.from = importer.ForCompiler(h.fset, "gc", func(path string) (io.ReadCloser, error) { return os.Open(exports[path]) })
	return h
}

func (h *measurer) measure(t *testing.T, p listed) size {
	t.Helper()
	s := size{}
	var built []*ast.File
	var lengths []int
	for _, name := range slices.Concat(p.GoFiles, p.IgnoredGoFiles) {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(h.fset, filepath.Join(p.Dir, name), nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		s.files++
		s.lines += h.fset.File(f.FileStart).LineCount() - 1
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok {
				lengths = append(lengths, h.fset.Position(fn.End()).Line-h.fset.Position(fn.Pos()).Line+1)
			}
		}
		if slices.Contains(p.GoFiles, name) {
			built = append(built, f)
		}
	}
	if n := len(lengths); n > 0 {
		slices.Sort(lengths)
		s.longest, s.median = lengths[n-1], float64(lengths[n/2]+lengths[(n-1)/2])/2
	}
	h.relate(t, p, built, &s)
	return s
}

// relate finds the exported names, the knots and the files that lock.
func (h *measurer) relate(t *testing.T, p listed, files []*ast.File, s *size) {
	t.Helper()
	info := &types.Info{Defs: map[*ast.Ident]types.Object{}, Uses: map[*ast.Ident]types.Object{}}
	checked, err := (&types.Config{Importer: h.from}).Check(p.ImportPath, h.fset, files, info)
	require.NoError(t, err)
	for _, name := range checked.Scope().Names() {
		if ast.IsExported(name) {
			s.exported++
		}
	}
	file := func(n ast.Node) string { return filepath.Base(h.fset.Position(n.Pos()).Filename) }
	home := map[types.Object]string{}
	for id, o := range info.Defs {
		home[o] = file(id)
	}
	uses, locks := map[string]map[string]bool{}, map[string]bool{}
	for id, o := range info.Uses {
		from := file(id)
		switch x := o.(type) {
		case *types.Func:
			if o = x.Origin(); x.Pkg() != nil && x.Pkg().Path() == "sync" && (x.Name() == "Lock" || x.Name() == "RLock") {
				locks[from] = true
			}
		case *types.Var:
			o = x.Origin()
		}
		if to := home[o]; to != "" && to != from {
			if uses[from] == nil {
				uses[from] = map[string]bool{}
			}
			uses[from][to] = true
		}
	}
	s.knot, s.lockers = largestKnot(uses), slices.Sorted(maps.Keys(locks))
}

// largestKnot returns how many nodes the largest set has in which each reaches every other one.
func largestKnot(uses map[string]map[string]bool) (most int) {
	reached := map[string]map[string]bool{}
	for from := range uses {
		seen := map[string]bool{}
		for todo := []string{from}; len(todo) > 0; {
			next := todo[len(todo)-1]
			todo = todo[:len(todo)-1]
			for to := range uses[next] {
				if !seen[to] {
					seen[to] = true
					todo = append(todo, to)
				}
			}
		}
		reached[from] = seen
	}
	for from, all := range reached {
		n := 0
		for to := range all {
			if reached[to][from] {
				n++
			}
		}
		most = max(most, n)
	}
	return most
}

func TestLargestKnot(t *testing.T) {
	uses := func(edges ...string) map[string]map[string]bool {
		m := map[string]map[string]bool{}
		for _, e := range edges {
			if m[e[:1]] == nil {
				m[e[:1]] = map[string]bool{}
			}
			m[e[:1]][e[1:]] = true
		}
		return m
	}
	require.Equal(t, 0, largestKnot(uses()))
	require.Equal(t, 0, largestKnot(uses("ab", "bc", "ac")))
	require.Equal(t, 2, largestKnot(uses("ab", "ba", "bc", "cd")))
	require.Equal(t, 3, largestKnot(uses("ab", "bc", "ca", "cd", "de", "ed")))
}
