package fakehttp

import (
	"context"
	"strings"
	"testing"

	"github.com/jarcoal/httpmock"

	"github.com/go-qtests/qtests/qtests/tbtest"
)

// Whatever is registered and asked for: a route or an error, no panic.
func FuzzHTTPRoute(f *testing.F) {
	f.Add("GET", "/a", "http://h/a")
	f.Add("get", "=~^/(", "http://h/a?b=c#d")
	f.Add("", "=~.*", "http://h//a/")
	f.Add("P OST", "http://h/%zz", "http://[::1]:80/%41")
	f.Fuzz(func(t *testing.T, method, route, url string) {
		rec := tbtest.Run("t", func(rec *tbtest.TB) {
			h := NewT(rec, Config{AllowUnexpected: true})
			h.On(method, route, httpmock.NewStringResponder(200, "ok"))
			_, body, err := get(context.Background(), h.Client(), url)
			if (err == nil) != (body == "ok") {
				t.Errorf("%q: %q, %v", url, body, err)
			}
			if h.Stats().Pool.InUse != 0 {
				t.Error("a connection is in use")
			}
		})
		if text := rec.Errors(); rec.Failed() && !strings.HasPrefix(text, "fakehttp: http: On(") {
			t.Error(text)
		}
	})
}
