package kernels

import (
	"context"
	"sync"
	"time"

	"github.com/go-qtests/qtests/qtests"
)

var contexts = []Kernel{
	{Name: "lost_cancel", Bug: func(q *qtests.T) { // the cancel of the first is overwritten by the second
		var mu sync.Mutex
		var cancel context.CancelFunc
		var wg sync.WaitGroup
		start := func() {
			mu.Lock()
			running := cancel != nil
			mu.Unlock()
			if running {
				return
			}
			ctx, c := context.WithCancel(context.Background())
			go func() { <-ctx.Done() }()
			mu.Lock()
			cancel = c
			mu.Unlock()
		}
		wg.Go(start)
		wg.Go(start)
		wg.Wait()
		cancel()
	}, Fixed: func(q *qtests.T) {
		var mu sync.Mutex
		var cancel context.CancelFunc
		var wg sync.WaitGroup
		start := func() {
			mu.Lock()
			defer mu.Unlock()
			if cancel != nil {
				return
			}
			ctx, c := context.WithCancel(context.Background())
			go func() { <-ctx.Done() }()
			cancel = c
		}
		wg.Go(start)
		wg.Go(start)
		wg.Wait()
		cancel()
	}},
	{Name: "context_leak", Bug: func(q *qtests.T) { // the worker's send does not look at the context
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		out := make(chan int)
		go func() {
			time.Sleep(time.Second)
			if ctx.Err() == nil {
				out <- 1
			}
		}()
		select {
		case <-out:
		case <-ctx.Done():
		}
	}, Fixed: func(q *qtests.T) {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		out := make(chan int)
		go func() {
			time.Sleep(time.Second)
			select {
			case out <- 1:
			case <-ctx.Done():
			}
		}()
		select {
		case <-out:
		case <-ctx.Done():
		}
	}},
	{Name: "cancel_beside_the_result", Bug: func(q *qtests.T) { // the result that is there is thrown away with what it holds
		ctx, cancel := context.WithCancel(context.Background())
		made := make(chan *conn, 1)
		var open sync.WaitGroup
		open.Add(1)
		go func() { made <- &conn{}; cancel() }()
		select {
		case <-made:
			open.Done()
		case <-ctx.Done():
		}
		open.Wait()
	}, Fixed: func(q *qtests.T) {
		ctx, cancel := context.WithCancel(context.Background())
		made := make(chan *conn, 1)
		var open sync.WaitGroup
		open.Add(1)
		go func() { made <- &conn{}; cancel() }()
		select {
		case <-made:
		case <-ctx.Done():
			<-made
		}
		open.Done()
		open.Wait()
	}},
}
