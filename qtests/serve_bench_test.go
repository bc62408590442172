package qtests

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/internal/memnet"
)

// requestHandlers answer without streaming, each as many services do.
func requestHandlers() map[string]http.Handler {
	hello := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") })
	page := strings.Repeat("<p>a page of a template</p>\n", 500) // 14 kB
	registry := prometheus.NewRegistry()
	for i := range 20 {
		c := prometheus.NewCounterVec(prometheus.CounterOpts{Name: fmt.Sprintf("requests_%d_total", i)}, []string{"code"})
		registry.MustRegister(c)
		for code := range 5 {
			c.WithLabelValues(strconv.Itoa(code)).Inc()
		}
	}
	return map[string]http.Handler{
		"hello":   hello,
		"wrapped": wrapWriter(wrapWriter(hello)),
		"copy": wrapWriter(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.Copy(w, readerOnly{strings.NewReader("hello")})
		})),
		"file": wrapWriter(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			http.ServeContent(w, r, "x.html", time.Time{}, strings.NewReader(page))
		})),
		"page": http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, page) }),
		"json": http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_ = json.NewEncoder(w).Encode(map[string]int{"a": 1, "b": 2})
		}),
		"metrics": wrapWriter(promhttp.HandlerFor(registry, promhttp.HandlerOpts{})),
	}
}

type readerOnly struct{ io.Reader }

// wrapWriter counts what a handler answers, through a writer that passes on what the
// real one can do, as the middleware of a router does.
func wrapWriter(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := countingWriter{ResponseWriter: w}
		from, reads := w.(io.ReaderFrom)
		if !reads {
			next.ServeHTTP(&c, r)
			return
		}
		next.ServeHTTP(&readingWriter{c, from}, r)
	})
}

type countingWriter struct {
	http.ResponseWriter
	bytes int
}

func (c *countingWriter) Write(p []byte) (int, error) {
	n, err := c.ResponseWriter.Write(p)
	c.bytes += n
	return n, err
}

func (c *countingWriter) Unwrap() http.ResponseWriter { return c.ResponseWriter }

type readingWriter struct {
	countingWriter
	from io.ReaderFrom
}

func (r *readingWriter) ReadFrom(src io.Reader) (int64, error) {
	n, err := r.from.ReadFrom(src)
	r.bytes += int(n)
	return n, err
}

// BenchmarkRequest compares a request over the wire with a direct one: the same
// handler, one request after the other, in one bubble, in turn, so that what slows the
// machine down slows both. It prints what one costs, and how many times the other.
func BenchmarkRequest(b *testing.B) {
	for name, handler := range requestHandlers() {
		b.Run(name, func(b *testing.B) {
			var direct, wire requestCost
			Bench(b, func(q *T) {
				wire.measure(q, q.Serve(handler).Client())
				direct.measure(q, q.Direct(handler))
			})
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(direct.per(direct.spent), "direct-ns/request")
			b.ReportMetric(wire.per(wire.spent), "serve-ns/request")
			b.ReportMetric(direct.per(time.Duration(direct.bytes)), "direct-B/request")
			b.ReportMetric(wire.per(time.Duration(wire.bytes)), "serve-B/request")
			b.ReportMetric(wire.per(wire.spent)/direct.per(direct.spent), "times-faster")
		})
	}
}

// A requestCost adds up what requests of one kind cost.
type requestCost struct {
	n     int
	spent time.Duration
	bytes uint64
}

func (c *requestCost) per(total time.Duration) float64 { return float64(total) / float64(c.n) }

func (c *requestCost) measure(q *T, client *http.Client) {
	const requests = 500
	require.NoError(q, getBody(q.Context(), client)) // connects
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := q.RealElapsed()
	for range requests {
		if err := getBody(q.Context(), client); err != nil {
			q.Fatal(err)
		}
	}
	c.spent += q.RealElapsed() - start
	runtime.ReadMemStats(&after)
	c.bytes += after.TotalAlloc - before.TotalAlloc
	c.n += requests
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
				c, s := memnet.Pair(q.Clock(), clientAddr(1), Addr("x"))
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
			c, s := memnet.Pair(nil, Addr("c"), Addr("s"))
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
