package bench

import (
	"context"
	"database/sql"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/go-qtests/qtests/qtests"
)

// BenchmarkRequestParts says what each part of ours adds to a real request: beside the floor of the row
// Direct it has the same handler with one part of ours in the place of the hand-written one.
func BenchmarkRequestParts(b *testing.B) {
	for _, part := range []struct {
		name string
		ask  func(q *qtests.T, h http.Handler, n int) error
		db   func(*qtests.T) *sql.DB
		pay  func(*qtests.T) *http.Client
		call func(*qtests.T) protection
	}{
		{"floor", askRecorderIn, slowDB, slowPay, unprotected},
		{"a context that ends", askRecorderEnding, slowDB, slowPay, unprotected},
		{"fakesql", askRecorderEnding, ourDB, slowPay, unprotected},
		{"fakehttp", askRecorderEnding, slowDB, ourPay, unprotected},
		{"breaker", askRecorderEnding, slowDB, slowPay, ourBreaker},
		{"Direct", askDirect, slowDB, slowPay, unprotected},
		{"all", askDirect, ourDB, ourPay, ourBreaker},
	} {
		b.Run(part.name, func(b *testing.B) {
			b.ReportAllocs()
			err := inRun(func(q *qtests.T) {
				failWith(q, part.ask(q, shop(part.db(q), part.pay(q), part.call(q)), b.N))
			})
			if err != nil {
				b.Fatal(err)
			}
		})
	}
}

func askRecorderIn(_ *qtests.T, h http.Handler, n int) error { return askRecorder(h, n) }

// askRecorderEnding is askRecorder with a context that can end, as a server's requests have it.
func askRecorderEnding(_ *qtests.T, h http.Handler, n int) error {
	for range n {
		ctx, cancel := context.WithCancel(context.Background())
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequestWithContext(ctx, http.MethodGet, "/items/7", nil))
		cancel()
		if err := checkAnswer(w.Code, w.Body.String()); err != nil {
			return err
		}
	}
	return nil
}

func slowDB(q *qtests.T) *sql.DB {
	db := sql.OpenDB(slowDriver{})
	q.Cleanup(func() {
		if err := db.Close(); err != nil {
			q.Error(err)
		}
	})
	return db
}

func slowPay(*qtests.T) *http.Client { return &http.Client{Transport: chargeTransport{}} }

func unprotected(*qtests.T) protection { return bare }
