package load

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/internal/text"
	"github.com/go-qtests/qtests/qtests/load/result"
	"github.com/go-qtests/qtests/qtests/load/traffic"
	"github.com/go-qtests/qtests/qtests/tb"
)

func TestPrintable(t *testing.T) {
	for in, want := range map[string]string{
		"plain 日本 é\n\ttab":  "plain 日本 é\n\ttab",
		"a\x00\x1b[31mb\xff": `a\x00\x1b[31mb\xff`,
		"\r\x7f\u0085":       `\r\x7f\u0085`,
		"\u202eevil\ufffe":   `\u202eevil\ufffe`,
		"the real \ufffd":    "the real \ufffd",
		"":                   "",
	} {
		require.Equal(t, want, text.Printable(in))
		require.Equal(t, want, text.Printable(want), "once is enough")
	}
	require.Equal(t, `a b c\x00`, text.OneLine("a\nb\tc\x00"))
	require.Equal(t, `a\x00\x1b[31mb\xff`, KindOf(errors.New("a\x00\x1b[31mb\xff\nmore")))
}

// TestLogOfATestIsText has user code that puts control characters everywhere it can.
func TestLogOfATestIsText(t *testing.T) {
	const evil = "a\x00\x1b[31mb\xff"
	var res *result.Result
	rec := in(t, func(q *qtests.T, tb tb.TB) {
		res = Run(tb, Scenario{Clock: q.Clock(), Traffic: traffic.Rate(1).For(2 * time.Second), ErrorKind: func(err error) string { return evil + "\nkind" },
			Do: func(_ context.Context, u *User) error {
				if u.ID() == 2 {
					panic(evil)
				}
				return errors.New(evil)
			}})
		Run(tb, Scenario{Clock: q.Clock(), Traffic: traffic.Users(1).For(time.Second), Do: serve(time.Second),
			NewUser: func(context.Context, *User) error { return errors.New(evil) }})
	})
	all := rec.Errors() + strings.Join(rec.Logs(), "\n") + htmlOf(t, res)
	require.True(t, utf8.ValidString(all))
	require.Equal(t, -1, strings.IndexFunc(all, func(c rune) bool { return c < ' ' && c != '\n' && c != '\t' }))
	require.Contains(t, rec.Errors(), `panic: a\x00\x1b[31mb\xff, in the step`+"\n")
	require.Contains(t, rec.Errors(), "errorkind_test.go", "the stack is whole")
	require.Equal(t, `a\x00\x1b[31mb\xff kind`, res.ErrorKinds[0].Kind)
	require.Equal(t, `a\x00\x1b[31mb\xff`, res.ErrorKinds[0].Text)
}
