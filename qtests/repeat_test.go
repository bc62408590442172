package qtests

import (
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/internal/settings"
	"github.com/go-qtests/qtests/qtests/tb"
	"github.com/go-qtests/qtests/qtests/tbtest"
)

func TestRepeatCommand(t *testing.T) {
	want := fmt.Sprintf("go test github.com/go-qtests/qtests/qtests -run '^TestRepeatCommand$' -qtests.seed=%d", tb.SeedOf(t))
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

func TestPackageOf(t *testing.T) {
	for function, want := range map[string]string{
		"example.com/shop/cart.TestX":            "example.com/shop/cart",
		"example.com/shop/cart_test.TestX.func1": "example.com/shop/cart",
		"gopkg.in/yaml%2ev3.(*T).TestX":          "gopkg.in/yaml.v3",
		"main.TestX":                             "main",
		"nothing":                                ".",
	} {
		require.Equal(t, want, packageOf(function))
	}
}
