package qtests_test

import (
	"encoding/json"
	"errors"
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

// medians are the packages whose functions are longer, and how long the median may be. In most of them one
// task is done by a few functions, each a table or a page long. The list may only become shorter.
var medians = map[string]float64{
	"fixtures":                         10.5,
	"fixtures/cut":                     13.5,
	"internal/plaintext":               13,
	"qtests/cmd/qtests/internal/gocmd": 10.5,
	"qtests/fleet/scale":               11,
	"qtests/internal/direct":           12,
	"qtests/internal/exploration":      11,
	"qtests/internal/explore":          13.5,
	"qtests/internal/inputs":           11,
	"qtests/internal/scope":            11,
	"qtests/internal/serverlog":        11,
	"qtests/internal/sites":            12,
	"qtests/internal/splice":           13,
	"qtests/internal/story":            13,
	"qtests/load/internal/job":         14,
	"qtests/load/internal/keep":        15,
	"qtests/load/internal/kept":        12.5,
	"qtests/load/internal/scrape":      14,
	"qtests/load/k6":                   16,
	"qtests/load/merge":                22,
	"qtests/load/result":               10.5,
	"qtests/load/search":               13.5,
	"qtests/load/threshold":            11,
	"qtests/monitor/rules":             11,
	"qtests/pool/internal/nearest":     16,
	"qtests/pool/internal/unexpected":  14,
	"qtests/recorded":                  18.5,
	"qtests/section":                   16,
}

// bugs has programs with a bug each, most of them of locking.
const bugs = "qtests/internal/kernels"

// TestHouseKeepsItsLimits measures every package of this module.
func TestHouseKeepsItsLimits(t *testing.T) {
	if withRaceDetector() || runtime.GOOS != "linux" {
		t.Skip("measured on Linux, without the race detector: it is the same code, but for a few files")
	}
	measured := map[string]size{}
	h := newMeasurer(t)
	for _, p := range h.own {
		dir := strings.TrimPrefix(p.ImportPath, ownModule+"/")
		if len(p.GoFiles) == 0 || strings.HasPrefix(dir, "examples/") || dir == ownModule {
			continue
		}
		s := h.measure(t, p)
		measured[dir] = s
		if dir == bugs {
			s.lockers = nil
		}
		for what, over := range map[string]bool{
			"files": s.files > limits.files, "lines": s.lines > limits.lines, "exported names": s.exported > limits.exported,
			"lines of a function":          s.longest > limits.longest,
			"lines of the median function": s.median > max(limits.median, medians[dir]),
			"files in a knot":              s.knot > limits.knot,
		} {
			if over {
				t.Errorf("%s: too many %s: %+v", dir, what, s)
			}
		}
		if len(s.lockers) > 1 {
			t.Errorf("%s: these files lock, and one should: %v", dir, s.lockers)
		}
	}
	require.Greater(t, len(measured), 50, "packages")
	for dir := range medians {
		require.Greater(t, measured[dir].median, limits.median, "%s needs no place in the list of medians", dir)
	}
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
