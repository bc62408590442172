package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/internal/stress"
)

// onOrdered is a program in this directory under the variables that qtests env prints,
// and the GOROOT that it uses then.
func onOrdered(t *testing.T, env ...string) (p program, root string) {
	t.Helper()
	if testing.Short() {
		t.Skip("compiles the standard library")
	}
	here, err := os.Getwd()
	require.NoError(t, err)
	p = at(here, env...)
	printed := finish(t, p.command(os.Args[0], "real", "env", "-json"))
	require.Equal(t, 0, printed.status, printed.stderr)
	var vars map[string]string
	require.NoError(t, json.Unmarshal([]byte(printed.stdout), &vars))
	for name, value := range vars {
		p.env = append(p.env, name+"="+value)
	}
	if root = vars["GOROOT"]; root == "" {
		root = goroot(t)
	}
	return p, root
}

// TestNothingOfItInAProduct: a program that is not a test keeps Go's own randomness, and
// no bubble in it can be ordered.
func TestNothingOfItInAProduct(t *testing.T) {
	inPlainRun(t)
	p, _ := onOrdered(t)
	product := filepath.Join(t.TempDir(), "product.exe")
	built := finish(t, p.command("go", "", "build", "-o", product, "./testdata/product"))
	require.Equal(t, 0, built.status, built.stderr)
	runs := make([]map[string]string, 2)
	for i := range runs {
		ran := finish(t, p.command(product, ""))
		require.Equal(t, 0, ran.status, ran.stdout+ran.stderr)
		runs[i] = map[string]string{}
		for line := range strings.Lines(ran.stdout) {
			name, value, _ := strings.Cut(line, ":")
			runs[i][name] = value
		}
		require.Equal(t, " ordered: not in a test binary\n", runs[i]["arm"])
		require.Equal(t, " false\n", runs[i]["ordered"])
		require.Equal(t, " closed\n", runs[i]["breaker"])
	}
	for _, random := range []string{"map", "rand", "maphash", "select", "in the bubble"} {
		require.NotEmpty(t, runs[0][random], random)
		require.NotEqual(t, runs[0][random], runs[1][random], random)
	}
}

// TestCompilesElsewhere: the changes fit what is compiled for other systems alone.
func TestCompilesElsewhere(t *testing.T) {
	inPlainRun(t)
	for _, target := range []string{"linux/arm64", "darwin/arm64", "windows/amd64"} {
		system, arch, _ := strings.Cut(target, "/")
		p, _ := onOrdered(t, "GOOS="+system, "GOARCH="+arch, "CGO_ENABLED=0")
		// The changed packages, with what they need.
		built := finish(t, p.command("go", "", "build", "runtime", "sync", "internal/sync", "internal/runtime/maps", "testing/synctest", "math/rand", "math/rand/v2", "crypto/internal/sysrand"))
		require.Equal(t, outcome{}, built, target)
	}
}

// armed has every bubble of a test binary ordered from its beginning.
const armed = `package synctest_test

import "unsafe"

//go:linkname orderedHooks runtime.orderedHooks
var orderedHooks *struct {
	version uint64
	arm     func(seed uint64, random bool, events unsafe.Pointer) int
	report  func(out *[16 + 24]uint64) bool
	test    func() bool
	all     func(on bool)
	place   func() uint32
	use     func(place uint32)
	alone   func()
}

//go:linkname orderedLibrary runtime.orderedLibrary
var orderedLibrary uint64 = 1

func init() {
	if orderedLibrary != 1 || orderedHooks == nil || !orderedHooks.test() {
		panic("not on the ordered runtime")
	}
	orderedHooks.all(true)
}
`

// byDesign are the tests of Go that do not hold in an ordered bubble: what belongs to a
// bubble that has ended is taken over by the next one that uses it. The runtime ends the
// process, or panics, in their place.
const byDesign = "^TestChannelMovedOutOfBubble$/.*/^different_bubble$|^TestWaitGroupMovedBetweenBubblesWithNonZeroCount$"

// TestGosOwnTests holds the changed standard library to the tests of Go: as they are, and
// with all their bubbles ordered.
func TestGosOwnTests(t *testing.T) {
	inGate(t)
	p, root := onOrdered(t)
	bubbles := []string{"internal/synctest", "testing/synctest"}
	requireTests(t, p, bubbles...)

	text := filepath.Join(t.TempDir(), "armed_test.go")
	put(t, text, armed)
	replace := map[string]string{}
	for _, pkg := range bubbles {
		replace[filepath.Join(root, "src", filepath.FromSlash(pkg), "ordered_armed_test.go")] = text
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "overlay.json")
	put(t, file, string(overlay))
	for range stress.Factor(t) {
		requireTests(t, p, append([]string{"-overlay=" + file, "-skip=" + byDesign}, bubbles...)...)
	}
	if stress.Factor(t) == 1 {
		t.Log("with QTESTS_STRESS those of runtime, sync, time and others run as well")
		return
	}
	requireTests(t, p, "sync", "time", "context", "iter", "internal/sync", "math/rand", "math/rand/v2", "crypto/rand", "maps")
	requireTests(t, p, "-short", "-timeout=60m", "runtime")
}

// requireTests runs go test on the ordered runtime.
func requireTests(t *testing.T, p program, args ...string) {
	t.Helper()
	got := finish(t, p.command(os.Args[0], "real", append([]string{"test", "-count=1"}, args...)...))
	require.Equal(t, 0, got.status, "%s\n%s", got.stdout, got.stderr)
	t.Logf("%s:\n%s", args, got.stdout)
}
