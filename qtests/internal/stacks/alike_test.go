package stacks

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDescribeAlikeShowsEveryKind(t *testing.T) {
	var all []Goroutine
	for i := range 2 * wholeStacks {
		for n := range 3 {
			all = append(all, Goroutine{ID: uint64(10*i + n), State: "select",
				Stack: fmt.Sprintf("main.f%d(0x%d)\n\t/a.go:%d +0x%d\ncreated by main.g in goroutine %d", i, n, i, n, n)})
		}
	}
	text := DescribeAlike(all, func(g Goroutine) string { return fmt.Sprintf(" of %d", g.ID) })
	for i := range 2 * wholeStacks {
		require.Contains(t, text, fmt.Sprintf("goroutine %d [select] of %d\n", 10*i, 10*i))
		require.Equal(t, i < wholeStacks, strings.Contains(text, fmt.Sprintf("main.f%d(", i)))
	}
	require.Equal(t, 2*wholeStacks, strings.Count(text, "… and 2 more like it"))
	require.Equal(t, "goroutine 1 [select]:\nmain.f()", Format([]Goroutine{{ID: 1, State: "select", Stack: "main.f()"}}), "no more like it")
	require.Equal(t, []string{"0 goroutines", "1 goroutine", "2 goroutines"}, []string{Count(0), Count(1), Count(2)})
}

func TestAncestorLine(t *testing.T) {
	const stack = "database/sql.(*DB).connectionOpener(0x1)\n\t/x/sql.go:1 +0x1\ncreated by database/sql.OpenDB in goroutine 7\n\t/x/sql.go:2 +0x2\n" +
		"[originating from goroutine 7]:\nshop.Open(...)\n\t/shop/db.go:12 +0x3\ncreated by main.main\n\t/shop/main.go:1 +0x4\n"
	require.Equal(t, "/shop/db.go:12  shop.Open", ancestorLine(stack))
	require.Empty(t, ancestorLine(strings.ReplaceAll(stack, "[originating", "originating")))
	require.Empty(t, ancestorLine("[originating from goroutine 7]:\n"))
	require.Empty(t, ancestorLine("[originating from goroutine 7]:\ncreated by main.main\n\t/shop/main.go:1 +0x4\n"))
}
