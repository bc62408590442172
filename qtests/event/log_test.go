package event

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestEventLogHasRoomForEvents(t *testing.T) {
	l := &Log{}
	for range DefaultLogSize + 1 {
		l.Add(time.Time{}, "pool", "x")
	}
	for range 1001 {
		l.Add(time.Time{}, "event", "x")
	}
	l.Add(time.Time{}, "pool", "x")
	marks, dropped := l.Marks()
	require.Len(t, marks, DefaultLogSize+1000)
	require.Equal(t, 3, dropped)
}

func TestEventLogIsBounded(t *testing.T) {
	var l Log
	for i := range DefaultLogSize + 5 {
		l.Add(time.Unix(int64(-i), 0), "test", fmt.Sprint(i))
	}
	marks, dropped := l.Marks()
	require.Len(t, marks, DefaultLogSize)
	require.Equal(t, 5, dropped)
	require.Equal(t, fmt.Sprint(DefaultLogSize-1), marks[0].Text, "ordered by instant, the beginning of the story kept")

	var none *Log
	none.Add(time.Now(), "test", "dropped")
	marks, dropped = none.Marks()
	require.Empty(t, marks)
	require.Zero(t, dropped)
}
