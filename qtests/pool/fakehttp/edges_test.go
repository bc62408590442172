package fakehttp_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptrace"
	"strings"
	"testing"
	"time"

	"github.com/jarcoal/httpmock"
	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/pool/fakehttp"
	"github.com/go-qtests/qtests/qtests/tbtest"
)

// answer is a responder of a body with a length, which may be wrong; -1 is none.
func answer(text string, length int64) httpmock.Responder {
	return func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 200, ContentLength: length, Body: io.NopCloser(strings.NewReader(text))}, nil
	}
}

// get sends a request, and reports whether its connection had been used before.
func get(t *testing.T, h *fakehttp.Fake, url string) (resp *http.Response, reused bool) {
	t.Helper()
	trace := &httptrace.ClientTrace{GotConn: func(c httptrace.GotConnInfo) { reused = c.Reused }}
	req, err := http.NewRequestWithContext(httptrace.WithClientTrace(context.Background(), trace), http.MethodGet, url, nil)
	require.NoError(t, err)
	resp, err = h.Client().Do(req)
	require.NoError(t, err)
	return resp, reused
}

// The end of a body comes with its last bytes where its length is known.
func TestEndOfABody(t *testing.T) {
	type part struct {
		n   int
		err error
	}
	for name, tc := range map[string]struct {
		length int64
		want   []part
	}{
		"known":     {10, []part{{6, nil}, {4, io.EOF}, {0, io.EOF}}},
		"too short": {8, []part{{6, nil}, {2, io.EOF}, {0, io.EOF}}},
	} {
		h := fakehttp.NewT(t, fakehttp.Config{})
		h.On("GET", "http://shop/", answer("0123456789", tc.length))
		resp, _ := get(t, h, "http://shop/")
		for i, want := range tc.want {
			n, err := resp.Body.Read(make([]byte, 6))
			require.Equal(t, want, part{n, err}, "%s: read %d", name, i)
		}
		require.NoError(t, resp.Body.Close())
	}
}

// A body that was read as far as it goes gives its connection back, and one that was not costs it.
func TestWhatABodyLeaves(t *testing.T) {
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, _ = io.CopyN(z, rand.NewChaCha8([32]byte{}), 100_000)
	require.NoError(t, z.Close())
	zipped := func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 200, ContentLength: -1, Header: http.Header{"Content-Encoding": {"gzip"}}, Body: io.NopCloser(bytes.NewReader(packed.Bytes()))}, nil
	}
	for name, tc := range map[string]struct {
		responder httpmock.Responder
		read      int64
		reused    bool
	}{
		"all, of a known length":    {answer("0123456789", 10), 10, true},
		"all, of an unknown length": {answer("0123456789", -1), 10, true},
		"all, and more was said":    {answer("0123456789", 11), 10, false},
		"part of it":                {answer("0123456789", 10), 9, false},
		"unzipped":                  {zipped, 1 << 20, true},
		"unzipped in part":          {zipped, 5, false},
	} {
		h := fakehttp.NewT(t, fakehttp.Config{})
		h.On("GET", "http://shop/", tc.responder)
		resp, reused := get(t, h, "http://shop/")
		require.False(t, reused)
		_, _ = io.CopyN(io.Discard, resp.Body, tc.read)
		require.NoError(t, resp.Body.Close())
		resp, reused = get(t, h, "http://shop/")
		require.Equal(t, tc.reused, reused, name)
		_, _ = io.Copy(io.Discard, resp.Body)
		require.NoError(t, resp.Body.Close())
	}
}

// A fragment of a request, the case of host and scheme and the port of the scheme change nothing.
func TestFragmentsAreNoPartOfARequest(t *testing.T) {
	h := fakehttp.NewT(t, fakehttp.Config{})
	h.On("GET", "http://shop/a", answer("", 0))
	for _, url := range []string{"http://shop/a", "http://shop/a#y", "http://shop/a#%2F", "HTTP://SHOP:80/a#y"} {
		resp, _ := get(t, h, url)
		require.NoError(t, resp.Body.Close())
	}
}

// A state of TLS that the responder gives stays; over https there is one in any case.
func TestStateOfTLS(t *testing.T) {
	own := &tls.ConnectionState{ServerName: "own"}
	h := fakehttp.NewT(t, fakehttp.Config{})
	h.On("GET", "https://shop/", answer("", 0))
	h.On("GET", "https://shop/own", func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 200, Body: http.NoBody, TLS: own}, nil
	})
	h.On("GET", "http://shop/", answer("", 0))
	for url, check := range map[string]func(*tls.ConnectionState) bool{
		"https://shop/":    func(s *tls.ConnectionState) bool { return s != nil && s.HandshakeComplete },
		"https://shop/own": func(s *tls.ConnectionState) bool { return s == own },
		"http://shop/":     func(s *tls.ConnectionState) bool { return s == nil },
	} {
		resp, _ := get(t, h, url)
		require.True(t, check(resp.TLS), url)
		require.NoError(t, resp.Body.Close())
	}
}

// The ends of the ranges belong to them.
func TestRangesOfFaults(t *testing.T) {
	for want, f := range map[string]func(*fakehttp.Fake){
		"": func(h *fakehttp.Fake) {
			h.ErrorRate(0)
			h.ErrorRate(1)
			h.Status(200)
			h.Status(599)
			h.ResetBody(0)
			h.StallBody(0)
		},
		"Status: 600 is not":   func(h *fakehttp.Fake) { h.Status(600) },
		"Status: 99 is not":    func(h *fakehttp.Fake) { h.Status(99) },
		"Status: 100 is no ":   func(h *fakehttp.Fake) { h.Status(100) },
		"Status: 199 is no ":   func(h *fakehttp.Fake) { h.Status(199) },
		"Status: 101 is no ":   func(h *fakehttp.Fake) { h.Status(101) },
		"Flap: down: 0s is no": func(h *fakehttp.Fake) { h.Flap(time.Second, 0) },
		"Inform: 200 is no ":   func(h *fakehttp.Fake) { h.On("GET", "http://shop/", answer("", 0)).Inform(200, nil) },
		"Inform: 99 is no ":    func(h *fakehttp.Fake) { h.On("GET", "http://shop/", answer("", 0)).Inform(99, nil) },
	} {
		rec := tbtest.Run("t", func(t *tbtest.TB) {
			h := fakehttp.NewT(t, fakehttp.Config{})
			h.On("GET", "http://shop/", answer("", 0)).Inform(100, nil).Inform(199, nil)
			f(h)
		})
		require.Equal(t, want != "", rec.Failed(), want)
		require.Contains(t, rec.Errors(), want)
	}
}
