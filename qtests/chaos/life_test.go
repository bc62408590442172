package chaos_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/chaos"
)

func TestComponentIsNamed(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		a := chaos.NewNetwork(q).Component("a", func(l *chaos.Life) { require.Equal(q, "life 1 of a", fmt.Sprint(l)) })
		q.Wait()
		require.Equal(q, []string{"a", "a"}, []string{a.Name(), a.String()})
		require.Equal(q, "<nil>", (*chaos.Component)(nil).String())
	})
}

// Of crashes that overlap the last to end begins the next life.
func TestCrashesOverlap(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		a := chaos.NewNetwork(q).Component("a", func(*chaos.Life) {})
		at(q, a.Crash().At(time.Second).For(3*time.Second))
		at(q, a.Crash().At(2*time.Second).For(5*time.Second))
		for _, want := range []bool{true, false, false, false, false, false, false, true} {
			q.Wait()
			require.Equal(q, want, a.Up(), "%v", q.Elapsed())
			q.Sleep(time.Second)
		}
		require.Equal(q, 2, a.Lives())
	})
}

// A crash that waits for an operation is called off at its end, and no other with it.
func TestCrashIsCalledOff(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		n := chaos.NewNetwork(q)
		var life *chaos.Life
		a := n.Component("a", func(l *chaos.Life) { life = l })
		fault := func(name string, d time.Duration) {
			chaos.NewT(q, chaos.Config{Name: name, Within: time.Second, Faults: []chaos.Fault{
				{Event: a.Crash(), Chance: 1, Shortest: d, Longest: d, Before: a, Operations: 1},
			}})
		}
		fault("short", time.Minute)
		fault("long", time.Hour)
		fault("short too", time.Minute)
		q.Sleep(2 * time.Minute)
		require.True(q, a.Up(), "it has done nothing")
		require.ErrorIs(q, life.Do(func() error { return nil }), chaos.ErrCrashed)
		require.False(q, a.Up())
		q.Sleep(time.Hour)
		require.True(q, a.Up())
		require.NoError(q, life.Do(func() error { return nil }))
	})
}

// What a life does that has ended is nobody's concern, a panic among it.
func TestDeadLifePanics(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		n := chaos.NewNetwork(q)
		var panics atomic.Int32
		a := n.Component("a", func(l *chaos.Life) {
			handler := func(_ http.ResponseWriter, r *http.Request) {
				<-r.Context().Done()
				panics.Add(1)
				panic("in a handler")
			}
			require.NoError(q, l.Serve(http.HandlerFunc(handler)))
			<-l.Context().Done()
			panics.Add(1)
			panic("in the life")
		})
		q.Wait()
		at(q, a.Crash().At(time.Second))
		_, err := n.Test().Client().Get("http://a/")
		require.Error(q, err)
		q.Wait()
		require.EqualValues(q, 2, panics.Load())
	})
}

// A dial ends with the life that makes it, and says so.
func TestDialOfADeadLife(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		n := chaos.NewNetwork(q)
		n.Component("deaf", func(l *chaos.Life) { _, _ = l.Listen() })
		var got error
		a := n.Component("a", func(l *chaos.Life) { _, got = l.Dial(l.Context(), "tcp", "deaf") })
		at(q, a.Crash().At(time.Second))
		q.Sleep(2 * time.Second)
		require.ErrorIs(q, got, chaos.ErrCrashed)
		require.ErrorIs(q, got, context.Canceled)
		_, err := n.Test().Dial(q.Context(), "tcp", "a")
		require.ErrorIs(q, err, syscall.ECONNREFUSED)
		require.NotErrorIs(q, err, chaos.ErrCrashed, "of another")
	})
}

// Reset breaks the connections between two components, also those that the second has dialled, and no others of theirs.
func TestResetIsOfTwo(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		n := chaos.NewNetwork(q)
		lives := map[string]*chaos.Life{chaos.Test: n.Test()}
		for _, name := range []string{"a", "b"} {
			n.Component(name, func(l *chaos.Life) { lives[name] = l; echo(l) })
			q.Wait()
		}
		conns := map[string]net.Conn{}
		for _, way := range []string{"test a", "test b", "a b", "b a", "a a", "b b"} {
			from, to, _ := strings.Cut(way, " ")
			c, err := lives[from].Dial(q.Context(), "tcp", to)
			require.NoError(q, err)
			conns[way] = c
		}
		n.Reset("a", "b").Begin()
		q.Wait()
		for way, c := range conns {
			_, err := say(c, "hello")
			require.Equal(q, way == "a b" || way == "b a", err != nil, "%s: %v", way, err)
			_ = c.Close()
		}
	})
}

// Who gives up a dial leaves the others waiting.
func TestPartitionEndsForTheOthers(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		n := chaos.NewNetwork(q)
		n.Component("a", echo)
		q.Wait()
		at(q, n.Partition("a").For(10*time.Second))
		var dialled atomic.Int32
		for _, d := range []time.Duration{time.Minute, time.Second, time.Minute} {
			q.Go(func() {
				ctx, cancel := q.Clock().WithTimeout(q.Context(), d)
				defer cancel()
				if c, err := n.Test().Dial(ctx, "tcp", "a"); err == nil {
					dialled.Add(1)
					_ = c.Close()
				}
			})
		}
		q.Sleep(time.Minute)
		require.EqualValues(q, 2, dialled.Load())
	})
}

// A network waits for what is under way in its servers, a tenth of a second at a time and at most a second.
func TestNetworkEnds(t *testing.T) {
	for _, c := range []struct {
		name    string
		handler http.HandlerFunc
		takes   time.Duration
	}{
		{"idle", func(http.ResponseWriter, *http.Request) {}, 100 * time.Millisecond},
		{"slow", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done(); time.Sleep(250 * time.Millisecond) }, 300 * time.Millisecond},
		{"deaf", func(http.ResponseWriter, *http.Request) { time.Sleep(9 * time.Second) }, time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			qtests.Run(t, func(q *qtests.T) {
				q.Cleanup(func() {
					require.Equal(q, c.takes, q.Elapsed())
					q.Sleep(10 * time.Second) // until the handlers have ended
				})
				n := chaos.NewNetwork(q)
				n.Component("a", func(l *chaos.Life) { _ = l.Serve(c.handler) })
				q.Wait()
				for range 2 {
					q.Go(func() {
						if resp, err := n.Test().Client().Get("http://a/"); err == nil {
							_, _ = io.Copy(io.Discard, resp.Body)
							_ = resp.Body.Close() // it was read
						}
					})
				}
				q.Wait()
			})
		})
	}
}
