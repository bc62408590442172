package fakehttp

import (
	"net/http"
	"reflect"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/pool"
)

// The pools of all hosts together have the sum of each number.
func TestSumOfHosts(t *testing.T) {
	fill := func(times int) (s pool.Stats) {
		v := reflect.ValueOf(&s).Elem()
		for i := range v.NumField() {
			switch f := v.Field(i); f.Kind() {
			case reflect.Int, reflect.Int64:
				f.SetInt(int64(times * (i + 1)))
			case reflect.Uint64:
				f.SetUint(uint64(times * (i + 1)))
			}
		}
		return s
	}
	got, want := reflect.ValueOf(sum(fill(1), fill(10))), reflect.ValueOf(fill(11))
	left := []string{ // to the hosts
		"Hijacked", "Overdue", "DestroyedDiscarded", "DestroyedLifetime", "DestroyedIdle", "DestroyedUses", "DestroyedCheck",
		"DestroyedSurplus", "DestroyedReset", "DestroyedClose", "DestroyedOrphan", "Panics",
	}
	for i := range got.NumField() {
		if name := got.Type().Field(i).Name; !slices.Contains(left, name) {
			require.Equal(t, want.Field(i).Interface(), got.Field(i).Interface(), name)
		}
	}
}

func TestStatusLine(t *testing.T) {
	for want, c := range map[string]struct {
		code  int
		given string
	}{
		"503 Service Unavailable": {503, ""},
		"404 Not Found":           {404, "404"},
		"200 Fine":                {200, "200 Fine"},
		"201 Made":                {201, "Made"},
		"599 status code 599":     {599, ""},
	} {
		require.Equal(t, want, statusLine(c.code, c.given))
	}
}

func TestBodyAllowed(t *testing.T) {
	for code, want := range map[int]bool{101: false, 199: false, 200: true, 204: false, 205: true, 304: false, 500: true} {
		require.Equal(t, want, bodyAllowed(code), "%d", code)
	}
}

// What a responder may answer with: a final status of three digits, or the change of the protocol.
func TestStatusOfAResponder(t *testing.T) {
	for code, fine := range map[int]bool{0: false, 99: false, 101: true, 200: true, 999: true, 1000: false} {
		pay := NewT(t, Config{})
		pay.On("GET", "http://a/", func(*http.Request) (*http.Response, error) { return &http.Response{StatusCode: code}, nil })
		resp, err := pay.Client().Get("http://a/")
		if !fine {
			require.ErrorContains(t, err, "which is none", "%d", code)
			continue
		}
		require.NoError(t, err, "%d", code)
		require.Equal(t, code, resp.StatusCode)
		require.NoError(t, resp.Body.Close())
	}
}

// One responder is in the place of another if all by which it is chosen is the same.
func TestWhichStubIsReplaced(t *testing.T) {
	a := &Stub{method: "GET", url: "http://a:80/?x=1&y=2", matcher: "m"}
	for want, others := range map[bool][]*Stub{
		true:  {a, {method: "GET", url: "http://A/?y=2&x=1", matcher: "m"}},
		false: {{method: "PUT", url: a.url, matcher: "m"}, {method: "GET", url: "http://a/", matcher: "m"}, {method: "GET", url: a.url}},
	} {
		for _, b := range others {
			require.Equal(t, want, a.replaces(b), "%+v", b)
			require.Equal(t, want, b.replaces(a), "%+v", b)
		}
	}
}

func TestEventsNameTheirStatus(t *testing.T) {
	pay := NewT(t, Config{})
	require.Equal(t, "http: status 503", pay.Status(503).Name)
	require.Equal(t, "http: status 503", pay.RetryAfter(503, 0).Name)
	require.Equal(t, "http: status 503, retry after 1ns", pay.RetryAfter(503, 1).Name)
}
