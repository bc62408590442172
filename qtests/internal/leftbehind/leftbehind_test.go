package leftbehind

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/internal/stacks"
)

func TestBubbles(t *testing.T) {
	const stood, stays = 1 << 40, 1<<40 + 1
	before := Describe()
	Add(stood, Bubble{Test: "TestStood"})
	Add(stays, Bubble{Test: "TestStays", Allowed: true})
	require.Equal(t, "TestStood", Test(stood))
	require.Equal(t, "TestStays", Test(stays))
	require.Empty(t, Test(0))
	require.Equal(t, before+"qtests: bubble 1099511627776 of TestStood stood still and was left behind; its goroutines are not counted as leaks\n", Describe())
	Forget(stood)
	Forget(stays)
	require.Empty(t, Test(stood))
	require.Equal(t, before, Describe())
}

// TestPermission: a goroutine may stay by the function that started it, in all bubbles or in one.
func TestPermission(t *testing.T) {
	started := func(by string) stacks.Goroutine {
		return stacks.Goroutine{Stack: "goroutine 9 [select]:\nexample.com/p.wait()\n\t/p.go:1 +0x1\ncreated by " + by + " in goroutine 1\n\t/p.go:2 +0x1"}
	}
	left := []stacks.Goroutine{started("example.com/p.all"), started("example.com/p.one"), started("example.com/p.none")}
	Allow([]string{"example.com/p.all"})
	require.True(t, Allows("example.com/p.all"))
	require.False(t, Allows("example.com/p.one"))
	var here, elsewhere Permission
	here.Allow([]string{"example.com/p.one"})

	rest, stay := here.Part(left)
	require.Equal(t, left[2:], rest)
	require.Equal(t, map[string]int{"example.com/p.all": 1, "example.com/p.one": 1}, stay)
	rest, _ = elsewhere.Part(left)
	require.Equal(t, left[1:], rest)
	elsewhere.Allow([]string{"example.com/p.wait"})
	rest, stay = elsewhere.Part(left[1:])
	require.Empty(t, rest)
	require.Equal(t, map[string]int{"example.com/p.wait": 2}, stay, "or by the one in which it waits")

	require.Len(t, DescribeStay(map[string]int{"example.com/p.all": 1, "example.com/p.one": 1}), 2)
	require.Empty(t, DescribeStay(map[string]int{"example.com/p.all": 1}), "each name is said once")
}
