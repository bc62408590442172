package qtests

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestEventLogHasRoomForEvents(t *testing.T) {
	l := &EventLog{}
	for range DefaultEventLogSize + 1 {
		l.Add(time.Time{}, "pool", "x")
	}
	for range 1001 {
		l.Add(time.Time{}, "event", "x")
	}
	l.Add(time.Time{}, "pool", "x")
	marks, dropped := l.Marks()
	require.Len(t, marks, DefaultEventLogSize+1000)
	require.Equal(t, 3, dropped)
}
