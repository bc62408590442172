package stacks

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestStackHeaderForms(t *testing.T) {
	type want struct {
		ID, bubble uint64
		state      string
		durable    bool
		scope      string
	}
	for header, w := range map[string]want{
		`goroutine 8 [running]:`:                                                         {8, 0, "running", false, ""},
		`goroutine 8 [chan receive, 2 minutes, locked to thread]:`:                       {8, 0, "chan receive", false, ""},
		`goroutine 8 gp=0xc000 m=0 mp=0x5 [GC worker (active)]:`:                         {8, 0, "GC worker (active)", false, ""},
		`goroutine 18446744073709551615 [sleep (durable), synctest bubble 12]:`:          {1<<64 - 1, 12, "sleep", true, ""},
		`goroutine 8 [chan receive labels:{"qtests.scope": "/c1"}]:`:                     {8, 0, "chan receive", false, "/c1"},
		`goroutine 8 [chan receive] {qtests.scope: /c1}:`:                                {8, 0, "chan receive", false, "/c1"},
		`goroutine 8 [select, synctest bubble 3 labels:{"qtests.scope": "/b1/c1"}]:`:     {8, 3, "select", false, "/b1/c1"},
		`goroutine 8 [select, synctest bubble 3] {qtests.scope: /b1/c1}:`:                {8, 3, "select", false, "/b1/c1"},
		`goroutine 8 [select, 2 minutes labels:{"a": "]:\"}]:", "qtests.scope": "/c"}]:`: {8, 0, "select", false, "/c"},
		`goroutine 8 [select, 2 minutes] {a: "]:\"}]:", qtests.scope: /c}:`:              {8, 0, "select", false, "/c"},
		`goroutine 8 [select] {"qtests.scope": "x\", qtests.scope: /c1"}:`:               {8, 0, "select", false, `x", qtests.scope: /c1`},
		`goroutine 8 [select] {a: ", synctest bubble 7]", qtests.scope: "/c\n1"}:`:       {8, 0, "select", false, "/c\n1"},
		`goroutine 8 [select] {: , qtests.scope: /c1}:`:                                  {8, 0, "select", false, "/c1"},
		`goroutine 8 [select] {azAZ09./_: b, qtests.scope: /azAZ09._}:`:                  {8, 0, "select", false, "/azAZ09._"},
		`goroutine 8 [select] {a: qtests.scope}:`:                                        {8, 0, "select", false, ""},
	} {
		h, ok := parseHeader([]byte(header))
		require.True(t, ok, header)
		require.Equal(t, w, want{h.ID, h.Bubble, string(h.State), h.durable, h.Label(ScopeLabel)}, header)
	}
}

func TestStackHeaderRefuses(t *testing.T) {
	for _, header := range []string{
		"", "main.main()", "goroutine profile: total 5", "goroutine 8", "goroutine x [running]:", "goroutine 8 [running",
		"goroutine 8 [running]", "goroutine 8 []:", "goroutine 8 [running] labels {a: b}:", "goroutine 8 [running] {a: b:",
		"goroutine 8 [running] {a}:", `goroutine 8 [running labels:{"a": "b"}:`, `goroutine 8 [running {"a": "b"}]:`,
		`goroutine 8 [running] {a: "b}:`, "goroutine 8 [running] {a: b; c: d}:", "goroutine 8 [running, synctest bubble 7a]:",
		"goroutine 99999999999999999999 [running]:",
	} {
		_, ok := parseHeader([]byte(header))
		require.False(t, ok, header)
	}
}

func TestCutIf(t *testing.T) {
	for _, c := range []struct {
		text, rest string
		ok, want   bool
	}{
		{"}:", ":", true, true}, {"}", "", true, true}, {"", "", true, false}, {":}", ":}", true, false}, {"}:", "}:", false, false},
	} {
		rest, ok := cutIf([]byte(c.text), "}", c.ok)
		require.Equal(t, []any{c.rest, c.want}, []any{string(rest), ok}, c.text)
	}
}
