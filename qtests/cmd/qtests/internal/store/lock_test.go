package store

import (
	"context"
	"errors"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestLock(t *testing.T) {
	s, _, _ := stage(t)
	unlock, err := s.Lock(t.Context(), "it", func() { t.Error("nobody else has it") })
	require.NoError(t, err)
	free, err := s.Lock(t.Context(), "another", func() { t.Error("a lock of its own") })
	require.NoError(t, err)
	free()

	waits, got := make(chan bool), make(chan func())
	go func() {
		second, err := s.Lock(t.Context(), "it", func() { close(waits) })
		if err != nil {
			t.Error(err)
		}
		got <- second
	}()
	<-waits
	select {
	case <-got:
		t.Fatal("two have the lock")
	default:
	}
	unlock()
	second := <-got
	require.FileExists(t, filepath.Join(s.Dir(), "it.lock"))
	second()
	require.NoFileExists(t, filepath.Join(s.Dir(), "it.lock"))
}

func TestWaitForLockEnds(t *testing.T) {
	s, _, _ := stage(t)
	unlock, err := s.Lock(t.Context(), "it", nil)
	require.NoError(t, err)
	defer unlock()
	why := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	_, err = s.Lock(ctx, "it", func() { cancel(why) })
	require.Equal(t, why, err)
}

func TestLockExcludes(t *testing.T) {
	s, _, _ := stage(t)
	var holders, times atomic.Int64
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 10 {
				unlock, err := s.Lock(t.Context(), "it", nil)
				if err != nil {
					t.Error(err)
					return
				}
				if holders.Add(1) != 1 {
					t.Error("two have the lock")
				}
				times.Add(1)
				holders.Add(-1)
				unlock()
			}
		})
	}
	group.Wait()
	require.EqualValues(t, 80, times.Load())
}

// Without a pause between two looks, some find the lock removed that they have opened.
func TestTryLockExcludes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "it.lock")
	var holders atomic.Int64
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for n := 0; n < 300; {
				unlock, err := tryLock(path)
				if err != nil {
					t.Error(err)
					return
				}
				if unlock == nil {
					continue
				}
				if holders.Add(1) != 1 {
					t.Error("two have the lock")
				}
				runtime.Gosched()
				holders.Add(-1)
				unlock()
				n++
			}
		})
	}
	group.Wait()
}
