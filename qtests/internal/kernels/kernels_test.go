package kernels

import (
	"flag"
	"fmt"
	"os"
	"testing"

	"github.com/go-qtests/qtests/qtests"
)

// searched skips a test that only a search runs.
func searched(t *testing.T) {
	if replay := flag.Lookup("qtests.replay"); os.Getenv("QTESTS_FIND") == "" && replay.Value.String() == "" {
		t.Skip("a search runs it")
	}
}

func TestBug(t *testing.T) {
	searched(t)
	for _, k := range All() {
		t.Run(k.Name, func(t *testing.T) { qtests.Run(t, k.Bug) })
	}
}

func TestFixed(t *testing.T) {
	searched(t)
	for _, k := range All() {
		t.Run(k.Name, func(t *testing.T) { qtests.Run(t, k.Fixed) })
	}
}

// TestThousandTurns is what the cost of a search is measured with: a run of it has a
// thousand turns.
func TestThousandTurns(t *testing.T) {
	searched(t)
	qtests.Run(t, func(q *qtests.T) {
		ping, pong := make(chan int), make(chan int)
		go func() {
			for v := range ping {
				pong <- v
			}
		}()
		for i := range 500 {
			ping <- i
			<-pong
		}
		close(ping)
		if n := q.Order().Turns; n < 1000 && q.Order().Runtime {
			q.Errorf("%d turns", n)
		}
	})
}

// TestInvariant moves money in two steps, between which the sum is wrong.
func TestInvariant(t *testing.T) {
	searched(t)
	qtests.Run(t, func(q *qtests.T) {
		a, b := 10, 0
		q.Always("the sum is 10", func() error {
			if a+b != 10 {
				return fmt.Errorf("it is %d", a+b)
			}
			return nil
		})
		done := make(chan struct{})
		go func() {
			defer close(done)
			a--
			b++
		}()
		<-done
	})
}

// TestNever says that something happens which never does, and something that does.
func TestNever(t *testing.T) {
	searched(t)
	qtests.Run(t, func(q *qtests.T) {
		q.Sometimes("the queue is full", false)
		q.Sometimes("the seed is large", q.Seed() > 5)
	})
}

// TestManyPoints is what the cost of Always is measured with: ten thousand steps of two goroutines,
// with QTESTS_ALWAYS an invariant that is checked at each.
func TestManyPoints(t *testing.T) {
	searched(t)
	qtests.Run(t, func(q *qtests.T) {
		n, sum := 0, 0
		if os.Getenv("QTESTS_ALWAYS") != "" {
			q.Always("n is not negative", func() error {
				if n < 0 {
					return fmt.Errorf("it is %d", n)
				}
				return nil
			})
		}
		done := make(chan struct{})
		go func() {
			defer close(done)
			for range 10_000 {
				n++
			}
		}()
		for range 10_000 {
			sum += n
		}
		<-done
	})
}
