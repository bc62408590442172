package coming_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-qtests/qtests/qtests"
)

func TestWithSynctest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		time.Sleep(5*time.Second - time.Nanosecond)
		synctest.Wait()
		if ctx.Err() != nil {
			t.Error("it ended before 5 s")
		}
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		if ctx.Err() == nil {
			t.Error("it is still there after 5 s")
		}
	})
}

func TestFromSynctest(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		ctx, cancel := context.WithTimeout(q.Context(), 5*time.Second)
		defer cancel()
		q.Sleep(5*time.Second - time.Nanosecond)
		if ctx.Err() != nil {
			q.Error("it ended before 5 s")
		}
		q.Sleep(time.Nanosecond) // it waits as synctest.Wait does
		if ctx.Err() == nil {
			q.Error("it is still there after 5 s")
		}
	})
}
