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

// TestKindOfErrorsThatAreAlike has errors that are different in every request, and mean the same.
func TestKindOfErrorsThatAreAlike(t *testing.T) {
	for want, same := range map[string][]string{
		"order # not found": {
			"order 550e8400-e29b-41d4-a716-446655440000 not found", "order 6BA7B810-9DAD-11D1-80B4-00C04FD430C8 not found",
			"order 507f1f77bcf86cd799439011 not found", "order 01ARZ3NDEKTSV4RRFFQ69G5FAV not found", "order 12345 not found", "order 0xc000123 not found",
			"order 4bf92f3577b34da6a3ce929d0e0e4736 not found",
		},
		"dial tcp #:80: connect: connection refused": {"dial tcp 10.0.0.1:80: connect: connection refused", "dial tcp 192.168.100.200:80: connect: connection refused"},
		"dial tcp #:#: connect: connection refused":  {"dial tcp 10.0.0.1:5432: connect: connection refused"},
		"dial tcp [#]:80: no route to host":          {"dial tcp [::1]:80: no route to host", "dial tcp [2001:db8::a:b]:80: no route to host", "dial tcp [fe80::1%eth0]:80: no route to host"},
		"read tcp #:#->#:443: i/o":                   {"read tcp 10.0.0.1:50122->10.2.0.1:443: i/o", "read tcp 192.0.2.1:7->10.2.0.1:443: i/o"},
		"host # is down":                             {"host 2001:db8::7 is down", "host 10.0.0.7 is down"},
		"host #: down":                               {"host 2001:db8::7: down"},
		"at # (#s)":                                  {"at 2023-10-06T00:17:09.5Z (1.234567s)", "at 2024-01-01 10:00:00 (12.3456s)"},
		"status 502":                                 {"status 502"},
		"version 1.22.3: std::vec, Abcdefghijklmnop": {"version 1.22.3: std::vec, Abcdefghijklmnop"},
		"took 5s at 10:20:30":                        {"took 5s at 10:20:30"},
	} {
		for _, text := range same {
			require.Equal(t, want, KindOf(errors.New(text)))
		}
	}
}

// TestKindOfErrorsThatDifferLate has errors whose end says what happened.
func TestKindOfErrorsThatDifferLate(t *testing.T) {
	head := `rpc error: code = Unavailable desc = connection error: desc = "transport: Error while dialing: dial tcp 10.0.0.1:50051: connect: `
	refused, reset := errors.New(head+`connection refused"`), errors.New(head+`connection reset by peer"`)
	require.NotEqual(t, KindOf(refused), KindOf(reset))
	long := strings.Repeat("while handling: ", 40)
	require.NotEqual(t, KindOf(errors.New(long+"a")), KindOf(errors.New(long+"b")))
	require.LessOrEqual(t, len(KindOf(errors.New(long+"a"))), 200)
	require.True(t, utf8.ValidString(KindOf(errors.New(strings.Repeat("é", 300)))))

	var res *result.Result
	qtests.Run(t, func(q *qtests.T) {
		res = resultOf(q, Scenario{Traffic: traffic.Rate(1).For(2 * time.Second), Do: func(_ context.Context, u *User) error {
			return []error{refused, reset}[u.ID()%2]
		}})
	})
	require.Len(t, res.ErrorKinds, 2)
	require.Regexp(t, `(?m)^  rpc error: code = Un….*connection refused"\s+1 .*$`, res.String(), "the table shows in what they differ")
	require.Regexp(t, `(?m)^  rpc error: code = Un….*connection reset by peer"\s+1 .*$`, res.String())
}

func FuzzKindOf(f *testing.F) {
	f.Add("dial tcp [2001:db8::1]:80: order 550e8400-e29b-41d4-a716-446655440000")
	f.Fuzz(func(t *testing.T, text string) {
		kind := KindOf(errors.New(text))
		require.LessOrEqual(t, len(kind), 200)
		require.True(t, utf8.ValidString(kind))
		require.NotContains(t, kind, "\n")
	})
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
