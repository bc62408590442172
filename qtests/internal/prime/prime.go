// Package prime prepares a process for bubbles.
package prime

import (
	"context"
	"net"
	"os"
	"os/signal"
	"runtime/pprof"
	"sync"
	"time"
)

// What a bubble leaves in the process can end it: a channel, a timer or a WaitGroup
// of one bubble that code outside, or in the next bubble, uses is a fatal error of
// the runtime. Process lets the standard library make outside, before the first
// bubble, what it makes once and keeps.
var Process = sync.OnceFunc(func() {
	done := make(chan struct{})
	go func() {
		defer close(done)
		// What starts here for good belongs to no test's scope of goroutines.
		pprof.SetGoroutineLabels(context.Background())
		// The resolver's semaphores. The name is in every file of hosts; where it
		// is not, nobody is to wait for a server of names.
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_, _ = net.DefaultResolver.LookupHost(ctx, "localhost") // it may fail: what it makes is made
		// The goroutine that waits for signals.
		c := make(chan os.Signal, 1)
		signal.Notify(c, os.Interrupt)
		signal.Stop(c)
	}()
	<-done
})
