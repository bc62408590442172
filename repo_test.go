package qtests_test

import (
	"flag"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
)

// The whole log arrives in these tests, also under -short and QTESTS_SCALE: a
// tenth of it does not open the breaker. The flag still wins.
func init() {
	if err := flag.Set("qtests.scale", "1"); err != nil {
		panic(err)
	}
}

// TestReadmeIsTrue holds every code block of the README to what is compiled, run
// or printed.
func TestReadmeIsTrue(t *testing.T) {
	judgesText(t)
	if scale := flag.Lookup("qtests.scale").Value.String(); scale != "1" {
		t.Skipf("the README shows a run at full scale, and this one is asked for at %s", scale)
	}
	compiled := compiledCode(t)
	gate := readFile(t, ".ci/run")
	var summary string
	onOrderedRuntime := false
	qtests.Run(t, func(q *qtests.T) { summary, onOrderedRuntime = quickstart(q).String(), q.Order().Runtime })
	summary = strings.ReplaceAll(summary, t.Name(), "TestQuickstart")
	// The README shows the stock runtime. On the ordered one there is one line more, the
	// command to repeat is another, and so is one median, because what is due at one instant
	// comes in another order there.
	if onOrderedRuntime {
		for there, here := range map[string]string{"  order       whole\n": "", "  3.064ms  ": "  3.067ms  ", "go tool qtests test ": "go test "} {
			require.Equal(t, 1, strings.Count(summary, there), there)
			summary = strings.Replace(summary, there, here, 1)
		}
	}

	readme := readFile(t, "README.md")
	require.Less(t, strings.Count(readme, "\n"), 200, "lines of the README: details belong in docs")
	blocks := codeBlock.FindAllStringSubmatch(readme, -1)
	require.NotEmpty(t, blocks)
	kinds := map[string]int{}
	for _, b := range blocks {
		kind, text := b[1], b[2]
		kinds[kind]++
		switch kind {
		case "go":
			require.True(t, strings.Contains(compiled, text), "neither in examples, nor in examples_test.go, nor in bench:\n%s", text)
		case "sh":
			for line := range strings.Lines(text) {
				require.True(t, strings.Contains(gate, line), "not run by the gate: %s", line)
			}
		case "text":
			if !strings.HasPrefix(text, "real: ") {
				require.Equal(t, strings.TrimSpace(summary), strings.TrimSpace(text), "the summary of the quickstart")
			}
		default:
			t.Errorf("a block of the kind %q, which nothing checks:\n%s", kind, text)
		}
	}
	require.Equal(t, map[string]int{"go": 3, "sh": 4, "text": 2}, kinds)
}

// TestImportsPointDown holds the packages to their floors: each imports those named
// here, and no other of this repository. An internal package that is not named belongs to
// the package below which it lies.
func TestImportsPointDown(t *testing.T) {
	const module = "github.com/go-qtests/qtests/"
	may := map[string][]string{
		"qtests/latency":  {},
		"qtests/event":    {},
		"qtests/tb":       {"qtests/event"},
		"qtests":          {"qtests/event", "qtests/tb"},
		"qtests/tbtest":   {},
		"qtests/section":  {},
		"qtests/recorded": {"internal/plaintext", "qtests/load/accesslog", "qtests/pool/fakehttp"},
		"qtests/wire":     {"qtests", "qtests/latency", "qtests/event", "qtests/tb"},
		"qtests/chaos":    {"qtests", "qtests/event", "qtests/tb", "qtests/wire"},

		"qtests/breaker":           {"qtests/event", "qtests/tb", "qtests/breaker/cause"},
		"qtests/breaker/cause":     {},
		"qtests/breaker/metrics":   {"qtests/breaker"},
		"qtests/breaker/registry":  {"qtests/tb", "qtests/breaker"},
		"qtests/monitor":           {"qtests/event", "qtests/tb"},
		"qtests/monitor/notify":    {"qtests/tb", "qtests/monitor"},
		"qtests/monitor/rules":     {"qtests/monitor"},
		"qtests/monitor/dashboard": {"qtests/tb", "qtests/monitor"},
		"qtests/monitor/lint":      {"qtests/tb", "qtests/monitor", "qtests/monitor/rules"},
		"qtests/monitor/coverage":  {"qtests/monitor", "qtests/monitor/rules"},

		"qtests/pool":          {"qtests/event", "qtests/tb", "qtests/breaker"},
		"qtests/pool/failover": {"qtests/event", "qtests/tb", "qtests/breaker", "qtests/breaker/metrics", "qtests/pool"},
		"qtests/pool/fake":     {"qtests/latency", "qtests/event", "qtests/tb", "qtests/pool"},
		"qtests/pool/fakesql":  {"qtests/latency", "qtests/event", "qtests/tb", "qtests/section", "qtests/pool", "qtests/pool/fake"},
		"qtests/pool/fakehttp": {"qtests/latency", "qtests/event", "qtests/tb", "qtests/pool", "qtests/pool/fake"},

		"internal/plaintext":      {},
		"qtests/internal/kernels": {"qtests"},

		"qtests/pool/internal/fault":     {"qtests/latency", "qtests/event", "qtests/tb"},
		"qtests/pool/internal/faulttest": {"qtests", "qtests/event", "qtests/tb"},

		"qtests/shed":    {"qtests/tb", "qtests/section"},
		"qtests/degrade": {"qtests/section"},

		"qtests/fleet":         {"qtests", "qtests/latency", "qtests/event", "qtests/tb", "qtests/section", "qtests/fleet/route", "qtests/fleet/scale", "qtests/fleet/rollout"},
		"qtests/fleet/route":   {},
		"qtests/fleet/scale":   {},
		"qtests/fleet/rollout": {},

		"qtests/load": {
			"internal/plaintext", "qtests", "qtests/latency", "qtests/event", "qtests/tb", "qtests/section", "qtests/monitor",
			"qtests/load/accesslog", "qtests/load/traffic", "qtests/load/result", "qtests/load/threshold",
		},

		"qtests/load/accesslog": {"internal/plaintext"},
		"qtests/load/traffic":   {"qtests/load/accesslog"},
		"qtests/load/result":    {"internal/plaintext", "qtests/tb", "qtests/section"},
		"qtests/load/threshold": {"qtests/load/result"},
		"qtests/load/compare":   {"qtests/load/result"},
		"qtests/load/k6":        {"qtests/load", "qtests/load/threshold", "qtests/load/traffic"},
		"qtests/load/merge":     {"qtests/load/result", "qtests/load/threshold"},
		"qtests/load/search":    {"qtests/event", "qtests/tb", "qtests/load", "qtests/load/result", "qtests/load/traffic"},

		"fixtures":     {"internal/plaintext", "qtests/tb"},
		"fixtures/cut": {},

		"qtests/cmd/qtests": {"qtests/load/merge"},
	}
	checked := map[string]bool{}
	used := map[[2]string]bool{}
	for _, top := range []string{"internal", "qtests", "fixtures"} {
		err := filepath.WalkDir(top, func(file string, d fs.DirEntry, err error) error {
			if d != nil && d.IsDir() && d.Name() == "testdata" { // the go command sees no packages there
				return fs.SkipDir
			}
			if err != nil || !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") {
				return err
			}
			dir := path.Dir(filepath.ToSlash(file))
			parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
			if err != nil {
				return err
			}
			owner := dir
			if may[owner] == nil {
				owner, _, _ = strings.Cut(dir, "/internal/")
			}
			allowed, known := may[owner]
			if !known {
				t.Errorf("%s: the package has no floor", dir)
			}
			checked[owner] = true
			for _, spec := range parsed.Imports {
				name, err := strconv.Unquote(spec.Path.Value)
				if err != nil {
					return err
				}
				name, own := strings.CutPrefix(name, module)
				below, _, toInternal := strings.Cut(name, "/internal/")
				used[[2]string{owner, name}] = true
				switch {
				case !own, toInternal && strings.HasPrefix(dir+"/", below+"/"):
				case !slices.Contains(allowed, name):
					t.Errorf("%s imports %s, which is not below it", file, name)
				}
			}
			return nil
		})
		require.NoError(t, err)
	}
	require.Len(t, checked, len(may))
	for owner, allowed := range may {
		for _, name := range allowed {
			require.True(t, used[[2]string{owner, name}], "%s may import %s, and does not", owner, name)
		}
	}
}

// TestEnginesLinkNoTests: what serves in production does not carry package testing with it,
// whose flags and whose runner are no business of a server, and the floor below it does
// not carry net/http either.
func TestEnginesLinkNoTests(t *testing.T) {
	const floor = "./qtests/"
	never := []string{"testing", "testing/synctest"}
	for pkg, more := range map[string][]string{
		"latency": {"net/http"}, "event": {"net/http"}, "tb": {"net/http"},
		"breaker": {"net/http"}, "breaker/registry": {"net/http"}, "breaker/metrics": nil, "pool": nil, "pool/failover": nil, "monitor": nil, "shed": nil, "degrade": nil,
		"fleet/route": {"net/http"}, "fleet/scale": {"net/http"}, "fleet/rollout": {"net/http"},
	} {
		out, err := exec.Command("go", "list", "-deps", floor+pkg).Output()
		require.NoError(t, err)
		linked := strings.Fields(string(out))
		require.Contains(t, linked, "time")
		for _, name := range append(more, never...) {
			require.NotContains(t, linked, name, "linked by %s", pkg)
		}
	}
}

// What qtests is compared with alone is no dependency of those who use it.
func TestPeersStayOutside(t *testing.T) {
	sums, bench := readFile(t, "go.sum"), readFile(t, "bench/go.mod")
	for _, peer := range []string{
		"github.com/failsafe-go/failsafe-go", "github.com/jackc/pgx/", "github.com/jackc/puddle/", "github.com/sony/gobreaker/", "github.com/tsenart/vegeta/",
	} {
		require.Contains(t, bench, "\t"+peer)
		require.NotContains(t, sums, peer)
	}
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	require.NoError(t, err)
	return string(b)
}
