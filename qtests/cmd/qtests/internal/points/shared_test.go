package points

import (
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestShared: which variables and fields more than one goroutine may write to, and which slices
// are in a variable of their function alone.
func TestShared(t *testing.T) {
	const head = "package p\n\ntype inner struct{ n int }\n\ntype outer struct {\n\tin inner\n\tp *inner\n}\n\nvar global int\n\n"
	for body, want := range map[string][3]string{
		"global = 1":                                                  {"global"},
		"_ = global":                                                  {},
		"x := 1; func() { x = 2 }(); _ = x":                           {"x"},
		"x := 1; func() { _ = x }(); x++":                             {"x"},
		"x := 1; func() { _ = x }()":                                  {},
		"x := 1; x = 2; _ = x":                                        {"", "", "x"},
		"x := 1; func() { x := 2; x++ }(); _ = x":                     {"", "", "x x"},
		"x := 1; func() { func() { x++ }() }()":                       {"x"},
		"x := 1; func() { _ = x }(); p := &x; _ = p":                  {"x", "", "p"},
		"x := 1; func() { _ = x }(); x, y := 2, 3; _ = y":             {"x", "", "y"},
		"var x int; func() { _ = x }(); for x = range 3 {}":           {"x"},
		"var x int; func() { _ = x }(); for x := range 3 { _ = x }":   {"", "", "x"},
		"var x int; func() { _ = x }(); for _, x = range []int{1} {}": {"x"},
		"func(x int) { x = 1 }(2)":                                    {},
		"o := &outer{}; o.in.n = 1":                                   {"", "in n", "o"},
		"o := &outer{}; o.p.n = 1":                                    {"", "n", "o"},
		"var o outer; func() { _ = o }(); (o).in.n = 1":               {"o", "in n"},
		"var a [3]int; func() { _ = a }(); a[1] = 2":                  {"a"},
		"s := make([]int, 3); func() { _ = s }(); s[1] = 2":           {},
		"s := make([]int, 3); s[1] = 2":                               {"", "", "s"},
	} {
		src := &source{fset: token.NewFileSet()}
		f, err := parser.ParseFile(src.fset, "p.go", head+"func f() {\n\t"+body+"\n}\n", parser.SkipObjectResolution)
		require.NoError(t, err, body)
		src.files = []*file{{ast: f}}
		require.True(t, src.check(Package{Path: "p"}, nil), body)
		src.findShared()
		require.Equal(t, want, [3]string{names(src.shared), names(src.fields), names(src.made)}, body)
	}
}

func names(all map[types.Object]bool) string {
	var names []string
	for obj := range all {
		names = append(names, obj.Name())
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}

// TestGlobals: every goroutine sees what others assign to a variable of the package, and an exported one may be assigned to elsewhere.
func TestGlobals(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "p.go")
	put(t, name, "package p\n\nvar Exported, own, kept = 1, 2, 3\n\nvar sum = func() int { return Exported + own + kept }\n\nfunc set() { own = 4 }\n")
	texts, err := Add(Package{Path: "p", Dir: dir, Files: []string{name}}, nil)
	require.NoError(t, err)
	require.Contains(t, numbers.ReplaceAllString(string(texts[name]), ", #)"),
		"var sum = func() int { return (*qtestsR(&Exported, #)) + (*qtestsR(&own, #)) + kept }\n\nfunc set() { own = qtestsC(&own, 4, #) }\n")
}

// TestLanguageOfAModule: what the module's version of the language does not allow is left to the compiler.
func TestLanguageOfAModule(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "p.go")
	put(t, name, "package p\n\nvar V int\n\nfunc set[T any](T) { V = 1 }\n")
	for version, want := range map[string]int{"1.17": 0, "1.18": 2, "": 2} {
		texts, err := Add(Package{Path: "p", Dir: dir, Files: []string{name}, GoVersion: version}, nil)
		require.NoError(t, err)
		require.Len(t, texts, want, version)
	}
	_, err := Add(Package{Files: []string{filepath.Join(dir, "none.go")}}, nil)
	require.ErrorIs(t, err, os.ErrNotExist)
	put(t, name, "package p\n\nfunc {\n")
	texts, err := Add(Package{Path: "p", Dir: dir, Files: []string{name}}, nil)
	require.NoError(t, err, "the compiler says it better")
	require.Empty(t, texts)
}

// TestChosen: of the main module, each package once, with its tests, and nothing that the bubbles need.
func TestChosen(t *testing.T) {
	type module = struct {
		Main      bool
		GoVersion string
	}
	ours, others := &module{Main: true}, &module{}
	all := []*listed{
		{ImportPath: "fmt"},
		{ImportPath: "example.com/dep", Module: others},
		{ImportPath: library, Module: others, Deps: []string{"fmt", "sample/needed"}},
		{ImportPath: "sample/needed", Module: ours},
		{ImportPath: "sample/plain", Module: ours},
		{ImportPath: "sample/a", Module: ours},
		{ImportPath: "sample/a [sample/a.test]", ForTest: "sample/a", Module: ours},
		{ImportPath: "sample/a_test [sample/a.test]", ForTest: "sample/a", Module: ours},
		{ImportPath: "sample/plain [sample/a.test]", ForTest: "sample/a", Module: ours},
		{ImportPath: "sample/a.test", Module: ours},
		{ImportPath: "sample/b", Module: ours},
		{ImportPath: "sample/b_test [sample/b.test]", ForTest: "sample/b", Module: ours},
		{ImportPath: library + "/load", Module: ours},
	}
	var got []string
	for _, p := range chosen(all) {
		got = append(got, p.ImportPath)
	}
	require.Equal(t, []string{"sample/plain", "sample/a [sample/a.test]", "sample/a_test [sample/a.test]", "sample/b", "sample/b_test [sample/b.test]"}, got)
}
