package qtests

import (
	"context"
	"io"
	"net"
	"net/http"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// BenchmarkRequest compares a request over the wire with a direct one: the same
// handler, one request after the other, in one bubble. It prints what one costs.
func BenchmarkRequest(b *testing.B) {
	const requests = 2000
	handler := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") })
	for name, client := range map[string]func(q *T) *http.Client{
		"direct": func(q *T) *http.Client { return q.Direct(handler) },
		"serve":  func(q *T) *http.Client { return q.Serve(handler).Client() },
	} {
		b.Run(name, func(b *testing.B) {
			var spent time.Duration
			var mallocs uint64
			rounds := 0
			Bench(b, func(q *T) {
				c := client(q)
				require.NoError(q, getBody(q.Context(), c)) // connects
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				start := q.RealElapsed()
				for range requests {
					if err := getBody(q.Context(), c); err != nil {
						q.Fatal(err)
					}
				}
				spent += q.RealElapsed() - start
				runtime.ReadMemStats(&after)
				mallocs += after.Mallocs - before.Mallocs
				rounds++
			})
			n := float64(rounds * requests)
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(float64(spent)/n, "ns/request")
			b.ReportMetric(float64(mallocs)/n, "allocs/request")
		})
	}
}

// BenchmarkConnections holds 1,000 connections that are idle after a request, and
// prints the memory of one: the plain pair of ends, and all that net/http keeps for
// it on both sides, stacks included.
func BenchmarkConnections(b *testing.B) {
	const connections = 1000
	perConnection := func(b *testing.B, open func(q *T, n int)) {
		var bytes uint64
		rounds := 0
		Bench(b, func(q *T) {
			before := inUse()
			open(q, connections)
			q.Wait()
			bytes += inUse() - before
			rounds++
		})
		b.ReportMetric(float64(bytes)/float64(rounds*connections), "B/connection")
	}
	b.Run("pair", func(b *testing.B) {
		perConnection(b, func(q *T, n int) {
			for range n {
				c, s := newConnPair(q.Clock(), clientAddr(1), Addr("x"))
				mustWrite(q, c, "hello")
				mustRead(q, s, 5)
				q.Cleanup(func() { runtime.KeepAlive([]net.Conn{c, s}) })
			}
		})
	})
	b.Run("serve", func(b *testing.B) {
		perConnection(b, func(q *T, n int) {
			s := q.Serve(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { q.Clock().Sleep(time.Second) }))
			var all sync.WaitGroup
			for range n {
				all.Go(func() {
					if err := fetch(context.Background(), s, "/"); err != nil {
						q.Errorf("%v", err)
					}
				})
			}
			all.Wait()
		})
	})
}

func inUse() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc + m.StackInuse
}

// BenchmarkConn moves bytes through one connection: small messages to a reader
// that waits, and a stream that fills the buffer.
func BenchmarkConn(b *testing.B) {
	for name, size := range map[string]int{"small": 100, "stream": 16 << 10} {
		b.Run(name, func(b *testing.B) {
			c, s := newConnPair(nil, Addr("c"), Addr("s"))
			var all sync.WaitGroup
			all.Go(func() { _, _ = io.Copy(io.Discard, s) })
			p := make([]byte, size)
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := c.Write(p); err != nil {
					b.Fatal(err)
				}
			}
			_ = c.Close()
			all.Wait()
		})
	}
}
