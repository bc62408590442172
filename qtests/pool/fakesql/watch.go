package fakesql

import (
	"context"
	"database/sql/driver"
	"net/http"
	"strings"
	"time"

	"github.com/go-qtests/qtests/qtests/internal/userline"
	"github.com/go-qtests/qtests/qtests/tb"
)

type requestKey struct{}

// running is a request that asks, and what is told when it ends. It is in a context, which several fakes may be asked with.
type running struct {
	name string
	seen []watched // belongs to the goroutine of the request, as its context does
}

type watched struct {
	db *Fake
	r  *request
}

// Request returns a context whose statements belong to one request of this name, and what to call when it has ended. The statements of
// one request must not run at the same time.
func Request(ctx context.Context, name string) (_ context.Context, end func()) {
	x := &running{name: name}
	return context.WithValue(ctx, requestKey{}, x), func() {
		for _, w := range x.seen {
			w.r.name = x.name
			w.db.locked(func(s *state) { s.asked.end(w.r) })
		}
	}
}

// Requests makes every request to next one [Request], called by its method and the pattern of net/http's ServeMux, or else its path. Handlers have to pass
// the context of their request to database/sql, as QueryContext and the like take it.
func Requests(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, end := Request(r.Context(), r.Method+" "+r.URL.Path)
		defer end()
		r = r.WithContext(ctx)
		defer func() {
			if r.Pattern != "" {
				method, _, _ := strings.Cut(r.Pattern, " ")
				name := r.Pattern
				if method == r.Pattern {
					name = r.Method + " " + name
				}
				ctx.Value(requestKey{}).(*running).name = name
			}
		}()
		next.ServeHTTP(w, r)
	})
}

// WatchQueries makes the fake note what it is asked from now on: see [Fake.Asked]. It works below database/sql, and so with what stands on
// it, such as sqlx and gorm.
func (db *Fake) WatchQueries() {
	db.locked(func(s *state) {
		if s.asked == nil {
			s.asked = newAsked()
		}
	})
	db.watching.Store(true)
}

// Asked returns what the fake was asked since WatchQueries, and nothing without it.
func (db *Fake) Asked() (a Asked) {
	db.locked(func(s *state) {
		if s.asked != nil {
			a = s.asked.result()
		}
	})
	return a
}

// LimitQueries fails t, when it ends, if one request has asked more than perRequest statements, above 0. The failure has the table of
// statements, and those that look like N+1 queries, with the lines that asked.
func (db *Fake) LimitQueries(t tb.TB, perRequest int) {
	t.Helper()
	db.scope.Require(perRequest > 0, "LimitQueries", perRequest, "is not above 0")
	db.WatchQueries()
	t.Cleanup(func() {
		t.Helper()
		a := db.Asked()
		if a.Most <= perRequest {
			return
		}
		var repeats strings.Builder
		for _, r := range a.Repeats(perRequest) {
			repeats.WriteString("N+1: " + r.Request + " asked " + r.String() + "\n")
		}
		t.Errorf("%s: %s asked %d statements, want at most %d\n%s%v", db.common.Name, a.MostOf, a.Most, perRequest, repeats.String(), a)
	})
}

// watch begins to time a statement. What it returns is called when the answer is there.
func (s *session) watch(ctx context.Context, query string, args []driver.NamedValue) func() {
	db := s.db
	if !db.watching.Load() {
		return func() {}
	}
	began := db.common.Clock.Now()
	return func() {
		took := tb.Round(db.common.Clock.Since(began))
		s.busy += took
		r := db.requestOf(ctx)
		line := func() string { return userline.Of(userline.Stack()) }
		if r != nil {
			r.note(query, args, line)
		}
		db.locked(func(m *state) { m.asked.statement(query, took) })
	}
}

// requestOf returns what this fake knows of the request of ctx, or nil.
func (db *Fake) requestOf(ctx context.Context) *request {
	x, ok := ctx.Value(requestKey{}).(*running)
	if !ok {
		return nil
	}
	for _, w := range x.seen {
		if w.db == db {
			return w.r
		}
	}
	w := watched{db, &request{name: x.name, texts: map[string]*repetition{}}}
	x.seen = append(x.seen, w)
	return w.r
}

// waiting begins to time the wait for a connection.
func (s *session) waiting() func() {
	db := s.db
	if !db.watching.Load() {
		return func() {}
	}
	began := db.common.Clock.Now()
	return func() {
		if d := tb.Round(db.common.Clock.Since(began)); d > 0 {
			db.locked(func(m *state) {
				m.asked.sum.Waits++
				m.asked.sum.Waited += d
			})
		}
	}
}

// holding is what is known of an open transaction.
type holding struct {
	began time.Time
	busy  time.Duration // of the session, when it began
	name  string
}

// hold begins to look at a transaction.
func (s *session) hold(ctx context.Context) {
	if !s.db.watching.Load() {
		return
	}
	s.held = holding{began: s.db.common.Clock.Now(), busy: s.busy}
	if x, ok := ctx.Value(requestKey{}).(*running); ok {
		s.held.name = x.name
	}
}

// release ends it, before the end of the transaction is asked for.
func (s *session) release() {
	if !s.db.watching.Load() || s.held.began.IsZero() {
		return
	}
	total := tb.Round(s.db.common.Clock.Since(s.held.began))
	h := Held{Request: s.held.name, Total: total, Idle: total - (s.busy - s.held.busy)}
	s.held = holding{}
	if h.Idle > 0 {
		h.Line = userline.Of(userline.Stack())
		s.db.locked(func(m *state) { m.asked.hold(h) })
	}
}
