package coming_test

import (
	"testing"
	"time"

	"github.com/benbjohnson/clock"
	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
)

// refresh is the code under test: it calls f at once, and then every hour until stop closes.
func refresh(clk clock.Clock, stop <-chan struct{}, f func()) {
	for {
		f()
		select {
		case <-clk.After(time.Hour):
		case <-stop:
			return
		}
	}
}

func TestFromQuartz(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		times, stop := 0, make(chan struct{})
		go refresh(q.Clock(), stop, func() { times++ }) // code on package time works as well
		q.Sleep(24 * time.Hour)                         // returns behind all that is due by then
		require.Equal(q, 25, times)
		close(stop)
		q.Wait()
	})
}
