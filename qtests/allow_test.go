package qtests

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/internal/leftbehind"
	"github.com/go-qtests/qtests/qtests/internal/stacks"
	"github.com/go-qtests/qtests/qtests/internal/tenancy"
)

// An expirable is a cache like those of libraries that start a goroutine with a
// ticker and have no way to end it.
type expirable[K comparable] struct{ ends map[K]time.Time }

func newExpirable[K comparable]() *expirable[K] {
	c := &expirable[K]{ends: map[K]time.Time{}}
	ticker := time.NewTicker(time.Minute)
	go func() {
		for range ticker.C {
			c.deleteExpired()
		}
	}()
	go c.janitor()
	return c
}

func (c *expirable[K]) deleteExpired() { clear(c.ends) }

func (c *expirable[K]) janitor() { select {} }

const (
	expirableStart  = "github.com/go-qtests/qtests/qtests.newExpirable[...]"
	expirableTicks  = "github.com/go-qtests/qtests/qtests.newExpirable[...].func1"
	expirableWaits  = "github.com/go-qtests/qtests/qtests.(*expirable[...]).janitor"
	expirableAbsent = "github.com/go-qtests/qtests/qtests.newExpirable"
)

func TestAllow(t *testing.T) {
	for _, c := range []struct {
		name         string
		passes       bool
		want, absent []string
	}{
		{"Start", true, []string{"left behind with 2 of the goroutines that Allow lets stay: " + expirableStart}, []string{"FAIL"}},
		{"Waits", true, []string{"with 1 of the goroutines that Allow lets stay: " + expirableWaits, "with 1 of the goroutines that Allow lets stay: " + expirableTicks}, nil},
		{"Package", true, []string{expirableStart, "--- PASS: TestChildAllow/Package/2"}, nil},
		{"Other", false, []string{"1 goroutine is left behind", "[select (no cases)], started at ", "q.Allow is for"}, []string{"qtests.newExpirable[...].func1()", "the bubble is left behind"}},
		{"Absent", false, []string{"2 goroutines are left behind", expirableWaits}, nil},
		{"Failed", false, []string{"deliberate", "lets stay: " + expirableStart}, []string{"goroutines are left behind"}},
		{"Empty", false, []string{"qtests: Allow: a name is empty"}, nil},
		{"Main", true, []string{"the tests ran"}, []string{"stood still", "left 2 goroutines"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			out, passed := runChild(t, "^TestChildAllow$/^"+c.name+"$|^TestChildAllow$/^Neighbour$")
			require.Equal(t, c.passes, passed)
			for _, w := range c.want {
				require.Equal(t, 1, strings.Count(out, w), w)
			}
			for _, w := range c.absent {
				require.NotContains(t, out, w)
			}
			require.NotContains(t, out, "panic:")
		})
	}
}

func TestChildAllow(t *testing.T) {
	child(t)
	body := func(names ...string) func(q *T) {
		return func(q *T) {
			q.Allow(names...)
			newExpirable[int]()
			q.Sleep(time.Hour)
		}
	}
	t.Run("Start", func(t *testing.T) { Run(t, body(expirableStart)) })
	t.Run("Waits", func(t *testing.T) { Run(t, body("x", expirableWaits, expirableTicks)) })
	t.Run("Package", func(t *testing.T) {
		Allow(expirableStart)
		for _, name := range []string{"1", "2"} {
			t.Run(name, func(t *testing.T) { Run(t, body()) })
		}
	})
	t.Run("Other", func(t *testing.T) {
		Run(t, func(q *T) {
			body(expirableStart)(q)
			go func() { select {} }()
		})
	})
	t.Run("Absent", func(t *testing.T) { Run(t, body(expirableAbsent)) })
	t.Run("Failed", func(t *testing.T) {
		Run(t, func(q *T) {
			body(expirableStart)(q)
			q.Fatal("deliberate")
		})
	})
	t.Run("Empty", func(t *testing.T) { Run(t, func(q *T) { q.Allow("") }) })
	t.Run("Main", func(t *testing.T) {
		Run(t, body(expirableStart))
		VerifyTestMain(runTests(func() int { println("the tests ran"); return 0 }))
	})
	t.Run("Neighbour", neighbour)
}

func TestAllowRefusesAnEmptyName(t *testing.T) {
	require.PanicsWithValue(t, "qtests: Allow: a name is empty", func() { Allow("a", "") })
	require.False(t, leftbehind.Allows("a"))
}

// What the end of the test's context sets going has the time it needs.
func TestContextEndsBeforeTheLeakCheck(t *testing.T) {
	var order []string
	Run(t, func(q *T) {
		ctx := q.Context()
		go func() {
			<-ctx.Done()
			InTurn(q.Clock(), func() { order = append(order, "in turn") })
			q.Clock().Sleep(0)
		}()
		q.Wait()
		order = append(order, "body")
	})
	require.Equal(t, []string{"body", "in turn"}, order)
}

// Where the runtime's panic says nothing of the bubble, the failure says so.
func TestBubbleOf(t *testing.T) {
	for _, fault := range []any{
		nil, "deadlock", 1, struct{ bubble int }{1}, struct{ bubble *int }{}, struct{ bubble *int }{new(int)},
		struct{ bubble *struct{ ID string } }{&struct{ ID string }{"1"}},
	} {
		require.Zero(t, tenancy.NumberOf(fault))
	}
	var fault any
	var number uint64
	func() {
		defer func() { fault = recover() }()
		synctest.Test(t, func(*testing.T) {
			number = stacks.This().Bubble
			go func() { select {} }()
		})
	}()
	require.NotZero(t, number)
	require.Equal(t, number, tenancy.NumberOf(fault))
	leftbehind.Add(number, leftbehind.Bubble{Test: t.Name(), Allowed: true})
}
