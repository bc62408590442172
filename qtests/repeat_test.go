package qtests

import (
	"flag"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/internal/ordered"
	"github.com/go-qtests/qtests/qtests/internal/settings"
	"github.com/go-qtests/qtests/qtests/tb"
	"github.com/go-qtests/qtests/qtests/tbtest"
)

func TestRepeatCommand(t *testing.T) {
	want := fmt.Sprintf(ordered.TestCommand()+" github.com/go-qtests/qtests/qtests -run '^TestRepeatCommand$' -qtests.seed=%d", tb.SeedOf(t))
	if settings.Verify.Get() {
		want += " -qtests.verify"
	}
	require.Equal(t, want, RepeatCommand(t))
	require.Equal(t, want+" -x=1 -y", RepeatCommand(t, "-x=1", "-y"))
	tbtest.Run(t.Name(), func(tb *tbtest.TB) { require.Equal(t, want, RepeatCommand(tb)) })
	var wg sync.WaitGroup
	wg.Go(func() { require.Equal(t, want, RepeatCommand(t)) })
	wg.Wait()
	require.False(t, InBubble())
	Run(t, func(q *T) {
		require.True(q, InBubble())
		q.Go(func() { require.Contains(q, RepeatCommand(q), "qtests -run '^TestRepeatCommand$' -qtests.seed=") })
		q.Sleep(1)
	})
}

// A test knows where Run was called; a benchmark has nothing to repeat but itself.
func TestCommandOfARun(t *testing.T) {
	require.Equal(t, command{}, (&T{run: &bubbleRun{}}).command())
	Run(t, func(q *T) {
		require.Equal(q, command{RunPattern(t.Name()), "github.com/go-qtests/qtests/qtests"}, q.command())
	})
}

func TestPackageOf(t *testing.T) {
	for function, want := range map[string]string{
		"example.com/shop/cart.TestX":            "example.com/shop/cart",
		"example.com/shop/cart_test.TestX.func1": "example.com/shop/cart",
		"gopkg.in/yaml%2ev3.(*T).TestX":          "gopkg.in/yaml.v3",
		"main.TestX":                             "main",
		"nothing":                                ".",
		"example.com/shop/.TestX":                ".",
		".TestX":                                 ".",
	} {
		require.Equal(t, want, packageOf(function))
	}
}

// However deep the stack is, its test is found.
func TestPackageOfADeepStack(t *testing.T) {
	for _, depth := range []int{2, 20, 100, 900} {
		pcs := deepStack(depth)
		require.GreaterOrEqual(t, len(pcs), depth)
		require.Equal(t, "github.com/go-qtests/qtests/qtests", packageIn(pcs), "%d", depth)
	}
	require.Equal(t, ".", packageIn(nil), "of no function in a file of tests nothing is known")
}

// Once the package is known, it is known everywhere: a test binary has one.
func TestPackageIsKeptForTheProcess(t *testing.T) {
	before := ownPackage.Swap(nil)
	t.Cleanup(func() { ownPackage.Store(before) })
	require.Equal(t, "github.com/go-qtests/qtests/qtests", testPackage())
	require.NotNil(t, ownPackage.Load())
	other := "example.com/shop"
	ownPackage.Store(&other)
	require.Equal(t, other, testPackage())
	require.Equal(t, command{RunPattern("TestX"), other}, commandLater("TestX")())
}

//go:noinline
func deepStack(depth int) []uintptr {
	if depth > 1 {
		return deepStack(depth - 1)
	}
	return stackHere()
}

// The flag belongs to package load, which is not in this binary.
func TestCommandWithScale(t *testing.T) {
	c := command{pattern: "^A$", pkg: "example.com/a"}
	plain := c.withSeed(7)
	require.Contains(t, plain, " example.com/a -run '^A$' -qtests.seed=7")
	require.Equal(t, plain+" -x", c.withScale(7, "-x"))
	if flag.Lookup(scaleFlag) == nil {
		flag.Float64(scaleFlag, 1, "")
	}
	defer func() { require.NoError(t, flag.Set(scaleFlag, "1")) }()
	require.Equal(t, plain+" -x", c.withScale(7, "-x"), "of scale 1 nothing is said")
	require.NoError(t, flag.Set(scaleFlag, "0.25"))
	require.Equal(t, plain+" -x -qtests.scale=0.25", c.withScale(7, "-x"))
}

// TestChangedSettings: they stand in front of the first failure, and nowhere where there are none.
func TestChangedSettings(t *testing.T) {
	out, passed := runChild(t, "^TestChildChangedSettings$", "-qtests.stall=7s")
	require.False(t, passed)
	require.Regexp(t, `(?s)qtests: settings other than the default: -qtests.stall=7s \(default "10s"\)\n.*repeat_test.go:\d+: first\n`, out)
	require.Equal(t, 1, strings.Count(out, "settings other than"))
	out, passed = runChild(t, "^TestChildChangedSettings$")
	require.False(t, passed)
	require.NotContains(t, out, "settings other than")
}

func TestChildChangedSettings(t *testing.T) {
	child(t)
	Run(t, func(q *T) {
		q.Error("first")
		q.Error("second")
	})
}
