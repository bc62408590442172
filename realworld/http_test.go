package realworld

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
	"github.com/hashicorp/go-retryablehttp"

	"github.com/go-qtests/qtests/qtests"
)

// get makes a request and says what came of it.
func get(client *http.Client, url string) string {
	return answer(client.Get(url))
}

func answer(res *http.Response, err error) string {
	if err != nil {
		return err.Error()
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("%d %q", res.StatusCode, body)
}

// A router with a limit of requests in flight, a queue before it, and a timeout. In the
// outage its database hangs.
func TestChi(t *testing.T) {
	outcome(t, func(q *qtests.T, log *Log) {
		r := chi.NewRouter()
		r.Use(middleware.Recoverer, middleware.ThrottleBacklog(2, 3, 2*time.Second), middleware.Timeout(5*time.Second))
		r.Get("/items/{id}", func(w http.ResponseWriter, r *http.Request) {
			ctx := r.Context()
			if log.down() {
				<-ctx.Done()
				return // the timeout answers
			}
			if err := work(ctx); err != nil {
				return
			}
			fmt.Fprintf(w, "item %s", chi.URLParam(r, "id"))
		})
		server := q.Serve(r)
		load(log, func(i int) string {
			return get(server.Client(), fmt.Sprintf("%s/items/%d", server.URL, i))
		})
	})
}

// A client that retries with a jitter which begins anew at the nanosecond of the clock.
func TestRetryableHTTP(t *testing.T) {
	outcome(t, func(q *qtests.T, log *Log) {
		server := q.Serve(backend(log))
		client := retryablehttp.NewClient()
		client.HTTPClient = server.Client()
		client.Logger = nil
		client.Backoff = retryablehttp.LinearJitterBackoff
		client.RetryWaitMax = 2 * time.Second
		load(log, func(i int) string {
			ctx, cancel := context.WithTimeout(q.Context(), 10*time.Second+rand.N(time.Second))
			defer cancel()
			req, err := retryablehttp.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("%s/%d", server.URL, i), nil)
			if err != nil {
				return err.Error()
			}
			return answer(client.Do(req))
		})
	})
}
