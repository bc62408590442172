package stacks

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestEachProfiled(t *testing.T) {
	const profile = `goroutine profile: total 5
2 @ 0x44 0x48
# labels: {"a":"\"qtests.scope\":\"/x\"", "qtests.scope":"/c1/b2"}
#	0x51	example.com/shop.inner+0xb0	/shop/a.go:851
#	0x53	example.com/shop.(*Pool[...]).run+0x4c	/shop/b.go:19

3 @ 0x44
#	0x4e		testing.tRunner+0xe9		/go/testing.go:2036
#	0x5f
1 @ 0x44
#	0x51	main.f+0x1	/f.go:1

 @ 0x44
9 @ 0x44
#	0x51	main.g+0x1	/g.go:1
`
	var all []Profiled
	EachProfiled([]byte(profile), func(r Profiled) { all = append(all, r) })
	require.Equal(t, []Profiled{
		{2, "/c1/b2", "example.com/shop.(*Pool[...]).run"},
		{3, "", "testing.tRunner"},
		{1, "", "main.f"},
		{9, "", "main.g"},
	}, all)
	require.Empty(t, functionOf([]byte("#\t0x5f\t+0x1")))
	for _, header := range []string{
		`goroutine 8 [chan receive, 2 minutes labels:{"a": "]:", "qtests.scope": "/c1"}]:`,
		`goroutine 8 [chan receive, 2 minutes] {a: "]:", qtests.scope: /c1}:`,
	} {
		require.Equal(t, []Goroutine{{ID: 8, State: "chan receive", Stack: "main.f()\n\t/a.go:1 +0x1", Outermost: "main.f"}},
			Where([]byte(header+"\nmain.f()\n\t/a.go:1 +0x1\n\ngoroutine 9 [select]:\nmain.g()\n"),
				func(h *Header) bool { return h.Label(ScopeLabel) != "" }))
	}
}

func FuzzGoroutineText(f *testing.F) {
	f.Add([]byte("2 @ 0x4\n# labels: {\"qtests.scope\":\"/c1\"}\n#\t0x5\ta.b+0x1\t/a.go:1\n"))
	f.Add([]byte("goroutine 8 [select, synctest bubble 12 labels:{\"qtests.scope\": \"/c1\"}]:\nmain.f()\n\t/a.go:1\ncreated by main.g in goroutine 1\n\t/a.go:2 +0x1"))
	f.Add([]byte("goroutine 8 [select, synctest bubble 12] {qtests.scope: /c1, \"a b\": \"c\\\"\"}:\nmain.f()\n\t/a.go:1\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		EachProfiled(text, func(r Profiled) {
			if r.N <= 0 {
				t.Fatalf("a record of %d goroutines", r.N)
			}
		})
		for _, g := range Where(text, Every) {
			if g.State == "" {
				t.Fatal("a goroutine without a state")
			}
			_ = g.Origin() + labelIn([]byte(g.Stack), ScopeLabel)
		}
	})
}
