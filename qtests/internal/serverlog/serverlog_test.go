package serverlog

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/tbtest"
)

// A handler that panics for every request of a load scenario fills no log.
func TestServerLogCountsPanics(t *testing.T) {
	ways := map[string]func(l *Log, i int){
		"net/http": func(l *Log, i int) {
			_, _ = fmt.Fprintf(l, "http: panic serving pipe: boom %d\ngoroutine 1 [running]:\n", i)
		},
		"Direct": func(l *Log, i int) { l.Panicked("pipe", fmt.Sprintf("boom %d", i)) },
	}
	for name, panics := range ways {
		for _, n := range []int{2, 3, 5} {
			r := tbtest.Run("TestShop", func(r *tbtest.TB) {
				l := New(r, nil)
				for i := range n {
					panics(l, i)
				}
			})
			log := strings.Join(r.Logs(), "\n")
			require.Equal(t, min(n, 3), strings.Count(log, "http: panic serving pipe: boom "), name)
			require.Equal(t, min(n, 3), strings.Count(log, "[running]:"), "%s: with the stacks", name)
			if n <= 3 {
				require.NotContains(t, log, "not logged", name)
			} else {
				require.Contains(t, log, "http: 5 panics of the handler; 2 of them are not logged", name)
			}
		}
	}
}

// What a server says some thousand times is counted, each kind for itself.
func TestServerLogCountsKinds(t *testing.T) {
	r := tbtest.Run("TestShop", func(r *tbtest.TB) {
		l := New(r, nil)
		for i := range 2660 {
			_, err := fmt.Fprintf(l, "http: superfluous response.WriteHeader call from shop.cart (cart.go:%d)\n", i%2)
			require.NoError(t, err)
			if i%1000 == 0 {
				_, _ = fmt.Fprintf(l, "http: TLS handshake error from 10.0.0.%d:99: EOF\n", i)
			}
		}
	})
	require.Equal(t, []string{
		"http: superfluous response.WriteHeader call from shop.cart (cart.go:0)",
		"http: TLS handshake error from 10.0.0.0:99: EOF",
		"http: superfluous response.WriteHeader call from shop.cart (cart.go:1)",
		"http: superfluous response.WriteHeader call from shop.cart (cart.go:0)",
		"http: TLS handshake error from 10.0.0.1000:99: EOF",
		"http: TLS handshake error from 10.0.0.2000:99: EOF",
		`http: 2660 lines like "http: superfluous response.WriteHeader call from shop.cart (cart.go:…)"; 2657 of them are not logged`,
	}, r.Logs())
}

// A server that never says a thing twice fills no log either.
func TestServerLogBoundsKinds(t *testing.T) {
	r := tbtest.Run("TestShop", func(r *tbtest.TB) {
		l := New(r, nil)
		for i := range 1000 {
			_, _ = fmt.Fprintf(l, "%s\n", strings.Repeat("x", i+1))
		}
	})
	require.Len(t, r.Logs(), kindsLogged+linesLogged+1)
	require.Equal(t, "http: 950 lines of further kinds; 947 of them are not logged", r.Logs()[kindsLogged+linesLogged])
}
