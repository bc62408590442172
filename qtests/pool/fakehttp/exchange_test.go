package fakehttp

import (
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/jarcoal/httpmock"
	"github.com/stretchr/testify/require"
)

// What a caller does with a body that has ended leaves the request alone that has its exchange now.
func TestAnEndedBodyLeavesTheNextExchangeAlone(t *testing.T) {
	h := NewT(t, Config{Max: 1})
	h.On("GET", "/a", httpmock.NewStringResponder(200, "aa"))
	ask := func() *http.Response {
		resp, err := h.Client().Get("http://api/a")
		require.NoError(t, err)
		return resp
	}
	for range 10 {
		old := ask()
		_, err := io.ReadAll(old.Body)
		require.NoError(t, err)
		next := ask()
		_, err = old.Body.Read(make([]byte, 1))
		require.Equal(t, io.EOF, err)
		require.NoError(t, old.Body.Close())
		_, err = old.Body.Read(make([]byte, 1))
		require.Equal(t, errReadClosed, err)
		require.Equal(t, 1, h.Stats().Pool.InUse)
		require.Equal(t, "2", old.Header.Get("Content-Length"))
		text, err := io.ReadAll(next.Body)
		require.NoError(t, err)
		require.Equal(t, "aa", string(text))
		require.NoError(t, next.Body.Close())
	}
	require.Zero(t, h.Stats().Pool.InUse)
	require.EqualValues(t, 1, h.Stats().Pool.Constructed)
}

// Close may come while the body is read to its end.
func TestCloseBesideTheLastRead(t *testing.T) {
	h := NewT(t, Config{})
	h.On("GET", "/a", httpmock.NewStringResponder(200, "aa"))
	for range 200 {
		resp, err := h.Client().Get("http://api/a")
		require.NoError(t, err)
		var both sync.WaitGroup
		both.Go(func() { _, _ = io.ReadAll(resp.Body) })
		both.Go(func() { _ = resp.Body.Close() })
		both.Wait()
		require.Zero(t, h.Stats().Pool.InUse)
	}
}

// A 101 whose body has ended can be written to as before.
func TestWriteBehindTheEndOfA101(t *testing.T) {
	h := NewT(t, Config{})
	h.On("GET", "/ws", func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 101, Body: io.NopCloser(strings.NewReader("bye"))}, nil
	})
	resp, err := h.Client().Get("http://api/ws")
	require.NoError(t, err)
	_, err = io.ReadAll(resp.Body)
	require.NoError(t, err)
	_, err = resp.Body.(io.Writer).Write([]byte("late"))
	require.ErrorContains(t, err, "no io.Writer")
	require.NoError(t, resp.Body.Close())
}
