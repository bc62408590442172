package life

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestLifeIsAContext(t *testing.T) {
	values := context.Background()
	l := &Life{Parent: &values}
	child, cancel := context.WithTimeout(l, time.Hour)
	defer cancel()
	stopped, stopCancel := context.WithCancel(l)
	stopCancel()
	var order []int
	l.AfterFunc(func() { order = append(order, 1) })
	stop := l.AfterFunc(func() { order = append(order, 2) })
	l.AfterFunc(func() { order = append(order, 3) })
	require.True(t, stop())
	require.False(t, stop())
	require.NoError(t, child.Err())
	l.end(cancelled)
	l.end(expired)
	require.ErrorIs(t, child.Err(), context.Canceled)
	require.ErrorIs(t, l.Err(), context.Canceled)
	require.ErrorIs(t, stopped.Err(), context.Canceled)
	require.Equal(t, []int{1, 3}, order)
	<-l.Done()
	<-child.Done()
	late, cancel := context.WithCancel(l)
	defer cancel()
	require.ErrorIs(t, late.Err(), context.Canceled)
	called := make(chan bool)
	l.AfterFunc(func() { close(called) })
	<-called
	_, has := l.Deadline()
	require.False(t, has)
}

// TestLifeEndsBeforeAnybodyWaits, for each way to end.
func TestLifeEndsBeforeAnybodyWaits(t *testing.T) {
	values := context.WithValue(context.Background(), over[cancelled], "value")
	for how, want := range map[state]error{cancelled: context.Canceled, expired: context.DeadlineExceeded} {
		l := &Life{Parent: &values}
		l.end(how)
		l.end(cancelled)
		l.end(expired)
		require.ErrorIs(t, l.Err(), want)
		<-l.Done()
		called := make(chan bool)
		stop := l.AfterFunc(func() { close(called) })
		<-called
		require.False(t, stop())
		require.Equal(t, "value", l.Value(over[cancelled]))
	}
}
