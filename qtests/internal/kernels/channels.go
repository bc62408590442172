//lint:file-ignore SA2001 a goroutine that locks and unlocks waits for its turn

package kernels

import (
	"sync"
	"time"

	"github.com/go-qtests/qtests/qtests"
)

var channels = []Kernel{
	{Name: "blocked_sender_after_timeout", Bug: func(q *qtests.T) { // nobody receives once the caller has given up
		ask := func() int {
			answer := make(chan int)
			go func() {
				time.Sleep(time.Second) // as long as the caller waits
				answer <- 1
			}()
			select {
			case v := <-answer:
				return v
			case <-time.After(time.Second):
				return 0
			}
		}
		ask()
	}, Fixed: func(q *qtests.T) {
		answer := make(chan int, 1)
		go func() {
			time.Sleep(time.Second)
			answer <- 1
		}()
		select {
		case <-answer:
		case <-time.After(time.Second):
		}
	}},
	{Name: "blocked_sender_first_error", Bug: func(q *qtests.T) { // the first of several errors is the only one received
		errs := make(chan error)
		for i := range 3 {
			go func() {
				if i > 0 {
					errs <- errBad
					return
				}
				errs <- nil
			}()
		}
		for range 3 {
			if err := <-errs; err != nil {
				return
			}
		}
	}, Fixed: func(q *qtests.T) {
		errs := make(chan error, 3)
		for i := range 3 {
			go func() {
				if i > 0 {
					errs <- errBad
					return
				}
				errs <- nil
			}()
		}
		for range 3 {
			if err := <-errs; err != nil {
				return
			}
		}
	}},
	{Name: "select_prefers_stop", Bug: func(q *qtests.T) { // a stop beside an item that is ready loses the item
		items, stop := make(chan int, 1), make(chan struct{})
		var got int
		done := make(chan struct{})
		go func() {
			defer close(done)
			select {
			case v := <-items:
				got = v
			case <-stop:
			}
		}()
		items <- 7
		close(stop)
		<-done
		want(q, "the item", got, 7)
	}, Fixed: func(q *qtests.T) {
		items, stop := make(chan int, 1), make(chan struct{})
		var got int
		done := make(chan struct{})
		go func() {
			defer close(done)
			select {
			case v := <-items:
				got = v
			case <-stop:
				select {
				case v := <-items:
					got = v
				default:
				}
			}
		}()
		items <- 7
		close(stop)
		<-done
		want(q, "the item", got, 7)
	}},
	{Name: "channel_and_lock", Bug: func(q *qtests.T) { // one sends under the lock that the receiver takes first
		var mu sync.Mutex
		c := make(chan int)
		var wg sync.WaitGroup
		wg.Go(func() {
			mu.Lock()
			c <- 1
			mu.Unlock()
		})
		wg.Go(func() {
			mu.Lock()
			mu.Unlock()
			<-c
		})
		wg.Wait()
	}, Fixed: func(q *qtests.T) {
		var mu sync.Mutex
		c := make(chan int)
		var wg sync.WaitGroup
		wg.Go(func() {
			mu.Lock()
			mu.Unlock()
			c <- 1
		})
		wg.Go(func() {
			mu.Lock()
			mu.Unlock()
			<-c
		})
		wg.Wait()
	}},
	{Name: "two_channels_crossed", Bug: func(q *qtests.T) { // AB-BA over channels of one place
		a, b := make(chan int, 1), make(chan int, 1)
		var wg sync.WaitGroup
		wg.Go(func() { a <- 1; b <- 1; <-a; <-b })
		wg.Go(func() { b <- 2; a <- 2; <-b; <-a })
		wg.Wait()
	}, Fixed: func(q *qtests.T) {
		a, b := make(chan int, 1), make(chan int, 1)
		var wg sync.WaitGroup
		wg.Go(func() { a <- 1; b <- 1; <-b; <-a })
		wg.Go(func() { a <- 2; b <- 2; <-b; <-a })
		wg.Wait()
	}},
	{Name: "missed_item_len_check", Bug: func(q *qtests.T) { // len of a channel is old as soon as it is known
		items := make(chan int, 1)
		items <- 1
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() {
				if len(items) > 0 {
					<-items
				}
			})
		}
		wg.Wait()
	}, Fixed: func(q *qtests.T) {
		items := make(chan int, 1)
		items <- 1
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() {
				select {
				case <-items:
				default:
				}
			})
		}
		wg.Wait()
	}},
	{Name: "signal_lost_by_default", Bug: func(q *qtests.T) { // a send with default reaches only who waits already
		ready := make(chan struct{})
		go func() {
			select {
			case ready <- struct{}{}:
			default:
			}
		}()
		<-ready
	}, Fixed: func(q *qtests.T) {
		ready := make(chan struct{}, 1)
		go func() {
			select {
			case ready <- struct{}{}:
			default:
			}
		}()
		<-ready
	}},
}
