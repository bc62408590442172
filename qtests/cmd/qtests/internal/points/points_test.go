package points

import (
	"context"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/cmd/qtests/internal/gocmd"
	"github.com/go-qtests/qtests/qtests/internal/site"
)

var update = flag.Bool("update", false, "keeps the program with points")

var numbers = regexp.MustCompile(`, [0-9]+\)`)

// put writes a file into a module.
func put(t *testing.T, name, text string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o755))
	require.NoError(t, os.WriteFile(name, []byte(text), 0o644))
}

// load adds points to the packages of the module in dir.
func load(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	g, err := gocmd.Find(t.Context(), dir)
	require.NoError(t, err)
	texts, err := Load(t.Context(), g, nil, []string{"./..."}, func(string) bool { return false })
	require.NoError(t, err)
	return texts
}

func run(t *testing.T, dir string) string {
	t.Helper()
	cmd := exec.CommandContext(context.Background(), "go", "run", ".")
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	return string(out)
}

// counting takes the place of the runtime's function, which the stock runtime has not.
const counting = `
var qtestsCount = map[uint32]int{}

func qtestsPoint(site uint32, addr, value unsafe.Pointer) { qtestsCount[site&63]++ }
`

// TestSameProgram: a program with points compiles, computes the same, evaluates no operand
// sooner or twice, and has its lines where they were.
func TestSameProgram(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("testdata", "sample", "main.go"))
	require.NoError(t, err)
	dir := t.TempDir()
	put(t, filepath.Join(dir, "go.mod"), "module sample\n\ngo 1.26\n")
	put(t, filepath.Join(dir, "main.go"), string(text))
	want := run(t, dir)
	require.Contains(t, want, "recovered assignment to entry in nil map")
	texts := load(t, dir)
	require.Len(t, texts, 2)
	with := string(texts[filepath.Join(dir, "main.go")])
	require.Equal(t, strings.Count(string(text), "\n"), strings.Count(with, "\n"))
	kept := filepath.Join("testdata", "sample", "points.txt")
	if *update {
		require.NoError(t, os.WriteFile(kept, []byte(with), 0o600))
	}
	points, err := os.ReadFile(kept)
	require.NoError(t, err)
	require.Equal(t, string(points), with, "if that is meant: go test -run TestSameProgram -update")
	helper := string(texts[filepath.Join(dir, site.HelperFile+".go")])
	before, after, found := strings.Cut(helper, "//go:linkname")
	require.True(t, found)
	_, after, _ = strings.Cut(after, "value unsafe.Pointer)\n")
	put(t, filepath.Join(dir, "main.go"), with)
	put(t, filepath.Join(dir, site.HelperFile+".go"), before+counting+after)
	require.Equal(t, want, run(t, dir))
}

// TestPlaces: what gets a point, and what does not.
func TestPlaces(t *testing.T) {
	dir := t.TempDir()
	put(t, filepath.Join(dir, "go.mod"), "module sample\n\ngo 1.26\n")
	lines := map[string]string{ // what the line becomes, without the numbers of the sites
		"n++":                       "n = qtestsV(&n, (*qtestsR(&n, #)) + 1, #)",
		"n += s.get()":              "n = qtestsV(&n, (*qtestsR(&n, #)) + (s.get()), #)",
		"s.v = 1":                   "s.v = qtestsC(&s.v, 1, #)",
		"s.m = nil":                 "s.m = qtestsC(&s.m, nil, #)",
		"s.v, local = two()":        "*qtestsR(&s.v, #), local = two()",
		"s.v = s.v + local":         "s.v = qtestsV(&s.v, (*qtestsR(&s.v, #)) + local, #)",
		"local = s.fixed":           "local = s.fixed",
		"local++":                   "local++",
		"s.m[1] = s.v":              "(*qtestsR(&s.m, #))[1] = qtestsMV(s.m, (*qtestsR(&s.v, #)), #)",
		"s.mu.Lock()":               "qtestsR(&s.mu, #).Lock()",
		"defer s.mu.Unlock()":       "defer qtestsD(&s.mu, s.mu.Unlock, #)",
		"s.a.Store(s.a.Load() + 1)": "s.a.Store(qtestsV(&s.a, qtestsR(&s.a, #).Load() + 1, #))",
		"c <- 1":                    "qtestsM(c, #) <- 1",
		"close(c)":                  "close(qtestsM(c, #))",
		"*p = *p":                   "*p = qtestsV(&*p, (*qtestsR(&*p, #)), #)",
		"s.pf = &s.f":               "s.pf = qtestsV(&s.pf, &s.f, #)",
		"s.v = <-c":                 "s.v = qtestsV(&s.v, <-qtestsM(c, #), #)",
		"s.small = -(1 << s.v)":     "*qtestsR(&s.small, #) = -(1 << (*qtestsR(&s.v, #)))",
		"s.small = 1<<s.v + 1":      "*qtestsR(&s.small, #) = 1<<(*qtestsR(&s.v, #)) + 1",
		"s.small = 1 + 1<<s.v":      "*qtestsR(&s.small, #) = 1 + 1<<(*qtestsR(&s.v, #))",
		"_ = s.array[s.v:2]":        "_ = s.array[(*qtestsR(&s.v, #)):2]",
		"var _ = s.v":               "var _ = (*qtestsR(&s.v, #))",
		"s.in.bump()":               "s.in.bump()",
		"s.in.get()":                "(*qtestsR(&s.in, #)).get()",
		"s.in = inner{}":            "s.in = qtestsV(&s.in, inner{}, #)",
		"atomic.LoadInt32(p32)":     "atomic.LoadInt32(qtestsR(p32, #))",
	}
	var b strings.Builder
	b.WriteString("package sample\n\nimport (\n\t\"sync\"\n\t\"sync/atomic\"\n)\n\ntype sample struct {\n\tmu sync.Mutex\n\ta atomic.Int64\n\tv, fixed int\n\tm map[int]int\n" +
		"\tf func()\n\tpf *func()\n\tsmall int8\n\tarray [3]int\n\tin inner\n}\n\ntype inner struct{ n int }\n\nfunc (i *inner) bump() {}\n\nfunc (i inner) get() int { return 1 }\n\n" +
		"func (s *sample) get() int { return s.fixed }\n\nfunc (s *sample) reset() { s.m = nil }\n\nfunc two() (int, int) { return 1, 2 }\n\nfunc f(s *sample, c chan int, p *int, p32 *int32) {\n\tvar n int\n\tlocal := 0\n\tgo func() { n = 2 }()\n")
	var order []string
	for line := range lines {
		order = append(order, line)
		b.WriteString("\t" + line + "\n")
	}
	b.WriteString("\t_ = local\n}\n\n//go:noinline\nfunc g(p *int) { *p = *p }\n")
	put(t, filepath.Join(dir, "sample.go"), b.String())
	texts := load(t, dir)
	got := strings.Split(string(texts[filepath.Join(dir, "sample.go")]), "\n")
	at := strings.Count(b.String()[:strings.Index(b.String(), "\tgo func")], "\n") + 1
	for i, line := range order {
		require.Equal(t, "\t"+lines[line], strings.ReplaceAll(numbers.ReplaceAllString(got[at+i], ", #)"), "( ", "("), line)
	}
	require.Contains(t, string(texts[filepath.Join(dir, "sample.go")]), "func g(p *int) { *p = *p }", "a function with a directive")
}

// TestOurs: here as in the modules of its users, this library has no points; its tests have.
func TestOurs(t *testing.T) {
	for path, want := range map[string]bool{
		library + "/load": true, library + "/chaos": true, library + "/chaos_test": false, site.Kernels: false, "example.com/shop": false, library + "x": false,
	} {
		require.Equal(t, want, ours(path), path)
	}
}

// TestPackages: a package with tests gets points once, with its tests; what does not
// compile, and what only tests are in, does no harm.
func TestPackages(t *testing.T) {
	dir := t.TempDir()
	put(t, filepath.Join(dir, "go.mod"), "module sample\n\ngo 1.26\n")
	put(t, filepath.Join(dir, "a", "a.go"), "package a\n\ntype A struct{ V int }\n\nfunc (a *A) Add() { a.V++ }\n")
	put(t, filepath.Join(dir, "a", "in_test.go"), "package a\n\nimport \"testing\"\n\nfunc TestIn(t *testing.T) { x := &A{}; x.V = 2; x.Add() }\n")
	put(t, filepath.Join(dir, "a", "out_test.go"), "package a_test\n\nimport (\n\t\"sample/a\"\n\t\"testing\"\n)\n\nfunc TestOut(t *testing.T) { x := &a.A{}; x.V = 2; x.Add() }\n")
	put(t, filepath.Join(dir, "only", "only_test.go"), "package only\n\nimport (\n\t\"sample/a\"\n\t\"testing\"\n)\n\nfunc TestOnly(t *testing.T) { x := &a.A{}; x.V++ }\n")
	texts := load(t, dir)
	var names []string
	for name := range texts {
		rel, err := filepath.Rel(dir, name)
		require.NoError(t, err)
		names = append(names, filepath.ToSlash(rel))
	}
	require.ElementsMatch(t, []string{"a/a.go", "a/in_test.go", "a/out_test.go", "a/" + site.HelperFile + ".go", "a/" + site.HelperFile + "_a_test_test.go",
		"only/only_test.go", "only/" + site.HelperFile + "_only_test.go"}, names)
}
