package qtests

import (
	"context"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/tb"
)

func TestServeLetsFakeTimePass(t *testing.T) {
	Run(t, func(q *T) {
		s := q.Serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			q.Clock().Sleep(time.Hour)
			_, _ = io.Copy(w, r.Body)
		}))
		resp, err := s.Client().Post(s.URL+"/echo", "text/plain", strings.NewReader("hello"))
		require.NoError(q, err)
		body, err := io.ReadAll(resp.Body)
		require.NoError(q, err)
		require.NoError(q, resp.Body.Close())
		require.Equal(q, "hello", string(body))
		require.Equal(q, time.Hour, q.Elapsed())
	})
}

func TestServeThousandConnections(t *testing.T) {
	Run(t, func(q *T) {
		s := q.Serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			q.Clock().Sleep(time.Second)
			_, _ = w.Write(make([]byte, 100_000)) // more than the connection buffers
		}))
		var wg sync.WaitGroup
		for range 1000 {
			wg.Go(func() {
				resp, err := s.Client().Get(s.URL)
				if err == nil {
					var n int64
					n, err = io.Copy(io.Discard, resp.Body)
					if n != 100_000 {
						q.Errorf("read %d bytes", n)
					}
					_ = resp.Body.Close()
				}
				if err != nil {
					q.Errorf("%v", err)
				}
			})
		}
		wg.Wait()
		require.Equal(q, time.Second, tb.Round(q.Elapsed()))
	})
}

func TestServeClientTimeout(t *testing.T) {
	Run(t, func(q *T) {
		var served error
		s := q.Serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			<-r.Context().Done()
			served = r.Context().Err()
		}))
		client := *s.Client()
		client.Timeout = 3 * time.Second
		_, err := client.Get(s.URL)
		require.ErrorContains(q, err, "deadline exceeded")
		require.Equal(q, 3*time.Second, tb.Round(q.Elapsed()))
		q.Wait()
		require.ErrorIs(q, served, context.Canceled)
	})
}

// TestGetSaysWhoReachesTheServer: not that there is no such host.
func TestGetSaysWhoReachesTheServer(t *testing.T) {
	Run(t, func(q *T) {
		s := q.Serve(http.NotFoundHandler())
		for _, c := range []*http.Client{http.DefaultClient, {Transport: http.DefaultTransport.(*http.Transport).Clone()}} {
			resp, err := c.Get(s.URL)
			if err == nil {
				_ = resp.Body.Close()
			}
			require.ErrorContains(q, err, "server.memory is a server in memory, which no socket reaches: use server.Client()")
		}
	})
}
