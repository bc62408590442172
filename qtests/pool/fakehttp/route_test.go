package fakehttp

import (
	"net/http"
	"strings"
	"testing"

	"github.com/jarcoal/httpmock"
	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/tbtest"
)

// URLs that mean the same to a server match, however they are written.
func TestURLsThatMeanTheSame(t *testing.T) {
	for _, c := range []struct{ route, url string }{
		{"http://api/x?a=1&b=2", "http://api/x?b=2&a=1"},
		{"http://api/x?b=2&a=1", "http://api/x?a=1&b=2"},
		{"/x?b=2&a=1", "http://api/x?a=1&b=2"},
		{"/x?b=2&a=1&a=0", "http://api/x?a=0&a=1&b=2"},
		{"/x?q=a+b", "http://api/x?q=a%20b"},
		{"http://api:80/x", "http://api/x"},
		{"http://api/x", "http://api:80/x"},
		{"https://api/x", "https://api:443/x"},
		{"https://api:443/x?b=2&a=1", "https://API/x?a=1&b=2"},
		{"http://API/x", "http://api/x"},
		{"HTTP://api/x", "http://Api/x"},
		{"http://api", "http://api/"},
		{"http://api/", "http://api"},
		{"/", "http://api"},
		{"http://api?a=1", "http://api/?a=1"},
		{"http://[::1]:80/x", "http://[::1]/x"},
		{"/x", "http://api/x?any=1#fragment"},
		{"http://api/x#part", "http://api/x"},
		{"http://api#part", "http://api/"},
		{"/x?b=2&a=1#part", "http://api/x?a=1&b=2#other"},
		{"/a b", "http://api/a%20b"},
		{`=~^http://API:80/x\?b=2&a=1$`, "http://API:80/x?b=2&a=1"},
		{`=~^http://api/x$`, "http://API:80/x"},
	} {
		h := NewT(t, Config{})
		h.On("GET", c.route, httpmock.NewStringResponder(200, "ok"))
		_, body, err := get(t.Context(), h.Client(), c.url)
		require.NoError(t, err, "%s %s", c.route, c.url)
		require.Equal(t, "ok", body)
	}
}

func TestURLsThatDiffer(t *testing.T) {
	for _, c := range []struct{ route, url, why string }{
		{"http://api/x?a=1&b=2", "http://api/x?a=1&b=3", "its query has b=2, not b=3"},
		{"http://api/x?a=1&b=2", "http://api/x?a=1", "its query has b=2, which the request lacks"},
		{"/x?a=1", "http://api/x?a=1&c=3", "its query lacks c=3"},
		{"http://api/x", "http://api:8080/x", "its host is api, not api:8080"},
		{"http://api:443/x", "http://api/x", "its host is api:443, not api"},
		{"https://api/x", "http://api/x", "its scheme is https, not http"},
		{"/X", "http://api/x", "its path is /X, not /x"},
	} {
		h := NewT(t, Config{AllowUnexpected: true})
		h.On("GET", c.route, httpmock.NewStringResponder(200, "ok"))
		_, _, err := get(t.Context(), h.Client(), c.url)
		require.ErrorContains(t, err, "nearest routes:\n\tGET "+c.route+" ("+c.why+")")
	}
}

// The responder gets the request with its URL as it is.
func TestResponderSeesTheURL(t *testing.T) {
	h := NewT(t, Config{})
	seen := ""
	h.On("GET", "/x?a=1&b=2", func(req *http.Request) (*http.Response, error) {
		seen = req.URL.String()
		return httpmock.NewStringResponse(204, ""), nil
	})
	_, _, err := get(t.Context(), h.Client(), "http://API:80/x?b=2&a=1#f")
	require.NoError(t, err)
	require.Equal(t, "http://API:80/x?b=2&a=1#f", seen)
	require.Contains(t, h.Stats().Hosts, "api")
}

// The most specific route answers, however the request is written.
func TestTheMoreSpecificRouteAnswers(t *testing.T) {
	h := NewT(t, Config{})
	h.On("GET", "/x", httpmock.NewStringResponder(200, "any"))
	h.On("GET", "http://api/x?b=2&a=1", httpmock.NewStringResponder(200, "one"))
	_, body, err := get(t.Context(), h.Client(), "http://API/x?a=1&b=2")
	require.NoError(t, err)
	require.Equal(t, "one", body)
	h.On("GET", "http://api:80/x?a=1&b=2", httpmock.NewStringResponder(200, "two"))
	_, body, err = get(t.Context(), h.Client(), "http://API/x?a=1&b=2")
	require.NoError(t, err)
	require.Equal(t, "two", body, "the same route registered again")
}

// An unmatched request names the routes that are nearest to it, not all of them.
func TestUnmatchedRequestNamesTheNearest(t *testing.T) {
	h := NewT(t, Config{AllowUnexpected: true})
	for _, path := range []string{"/users", "/users/1/orders", "/users/1/orders/7", "/health", "/metrics", "/login"} {
		h.On("GET", path, httpmock.NewStringResponder(200, ""))
	}
	h.OnMatch("POST", "/users/1/orders", httpmock.HeaderExists("X-Key"), httpmock.NewStringResponder(200, ""))
	_, err := h.Client().Post("http://api/users/1/orders", "", strings.NewReader(""))
	require.ErrorContains(t, err, "\nnearest routes:"+
		"\n\tPOST /users/1/orders (its matcher does not accept the request)"+
		"\n\tGET /users/1/orders (its method is GET, not POST)"+
		"\n\tGET /users/1/orders/7 (its method is GET, not POST; its path is /users/1/orders/7, not /users/1/orders)"+
		"\n\tand 4 more")
}

// A request that no route answers fails the test, also where the code hides the error.
func TestUnexpectedRequestsFailTheTest(t *testing.T) {
	rec := tbtest.Run("t", func(t *tbtest.TB) {
		h := NewT(t, Config{Name: "api"})
		h.On("GET", "/x", httpmock.NewStringResponder(200, ""))
		for range 3 {
			_, _ = h.Client().Head("http://api/x")
		}
		for i := range 20 {
			_, _ = h.Client().Head("http://api/" + strings.Repeat("y", i))
		}
		if t.Failed() {
			panic("too early")
		}
	})
	require.Regexp(t, `^api: 23 unexpected calls\. Each fails the test, [^\n]*:\n\troute_test\.go:\d+: HEAD /x \(3 times\): the nearest route is GET /x `+
		`\(its method is GET, not HEAD\)\n(.*\n){9}\tand 11 more$`, rec.Errors())
}
