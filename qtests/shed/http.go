package shed

import (
	"context"
	"errors"
	"net/http"
)

// Handler lets next serve what the gate admits. What it refuses gets status 503 and Retry-After: 1; what gives up gets 499, which
// nobody reads. The permit comes back also when next panics.
func (g *Gate) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		permit, err := g.Acquire(r.Context(), g.cfg.Classify(r))
		if err != nil {
			refuse(w, err)
			return
		}
		seen := &statusWriter{ResponseWriter: w}
		finished := false
		defer func() {
			if !finished || errors.Is(r.Context().Err(), context.Canceled) {
				permit.Cancel()
				return
			}
			permit.Done(g.cfg.Dropped(seen.status))
		}()
		next.ServeHTTP(seen, r)
		finished = true
	})
}

// statusGivenUp is what nginx writes into its log for a client that has left.
const statusGivenUp = 499

func refuse(w http.ResponseWriter, err error) {
	if !errors.Is(err, ErrRefused) {
		w.WriteHeader(statusGivenUp)
		return
	}
	w.Header().Set("Retry-After", "1")
	http.Error(w, err.Error(), http.StatusServiceUnavailable)
}

// statusWriter sees the status.
type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(status int) {
	if w.status == 0 && (status >= 200 || status == http.StatusSwitchingProtocols) {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap is for http.ResponseController.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// Flush implements http.Flusher.
func (w *statusWriter) Flush() { _ = http.NewResponseController(w.ResponseWriter).Flush() }

// RoundTripper sends what the gate admits through next. What it refuses fails with a [*RefusedError].
func (g *Gate) RoundTripper(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(req *http.Request) (*http.Response, error) {
		permit, err := g.Acquire(req.Context(), g.cfg.Classify(req))
		if err != nil {
			closeBody(req)
			return nil, err
		}
		ended := false
		defer func() {
			if !ended { // a panic, or a Goexit
				permit.Cancel()
			}
		}()
		resp, err := next.RoundTrip(req)
		ended = true
		switch {
		case err != nil && errors.Is(req.Context().Err(), context.Canceled):
			permit.Cancel()
		case err != nil:
			permit.Done(errors.Is(err, context.DeadlineExceeded))
		default:
			permit.Done(g.cfg.Dropped(resp.StatusCode))
		}
		return resp, err
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

// RoundTrip implements http.RoundTripper.
func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

func closeBody(req *http.Request) {
	if req.Body != nil {
		_ = req.Body.Close()
	}
}
