package kernels

import (
	"flag"
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
