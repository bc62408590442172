package bench

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/load"
)

// inTest runs f with a *testing.T, which bubbles want and benchmarks lack.
func inTest(f func(t *testing.T)) {
	testing.RunTests(func(string, string) (bool, error) { return true, nil }, []testing.InternalTest{{Name: "bubble", F: f}})
}

// processorTime is what this process has used of the processors.
func processorTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// median reports the middle of some measurements.
func median(xs []float64) float64 {
	slices.Sort(xs)
	return xs[len(xs)/2]
}

const (
	gap     = 5 * time.Millisecond
	latency = 40 * time.Millisecond
	perTurn = 50_000
)

// plainLoop is what a test without package load would write: a loop that sleeps
// between arrivals and starts a goroutine for each, which sleeps in turn.
func plainLoop(t *testing.T) {
	synctest.Test(t, func(*testing.T) {
		var wg sync.WaitGroup
		for range perTurn {
			time.Sleep(gap)
			wg.Go(func() { time.Sleep(latency) })
		}
		wg.Wait()
	})
}

// floor arms each arrival by the timer of the one before, and records nothing.
func floor(t *testing.T) {
	synctest.Test(t, func(*testing.T) {
		var wg sync.WaitGroup
		wg.Add(perTurn)
		k := 0
		var fire func()
		fire = func() {
			if k++; k < perTurn {
				time.AfterFunc(gap, fire)
			}
			time.Sleep(latency)
			wg.Done()
		}
		time.AfterFunc(gap, fire)
		wg.Wait()
	})
}

func scenario(t *testing.T, q *qtests.T, do func()) {
	res, err := load.Do(context.Background(), load.Scenario{
		Clock: q.Clock(), Profile: load.Rate(float64(time.Second / gap)).For(perTurn * gap),
		Do: func(context.Context, *load.User) error { do(); return nil },
	})
	if err != nil || res.Finished != perTurn {
		t.Fatal(res, err)
	}
}

// BenchmarkLoadFakeTime compares the real time of one open-model request in a
// bubble, and the processor time (cpu-…). The contestants take turns of 50,000
// requests.
//
//	plain-ns       the loop that a test would write, which records nothing
//	floor-ns       each arrival arms the next one by timer, nothing is recorded
//	qtests-ns      package load, everything recorded; the step sleeps on package time, as in the loop
//	onclock-ns     the same with a step that sleeps on the tie-free clock
//	ratio          qtests-ns / plain-ns; the target is 0.8
func BenchmarkLoadFakeTime(b *testing.B) {
	names := []string{"plain-ns", "floor-ns", "qtests-ns", "onclock-ns"}
	turns := []func(t *testing.T){
		plainLoop, floor,
		func(t *testing.T) {
			qtests.Run(t, func(q *qtests.T) { scenario(t, q, func() { time.Sleep(latency) }) })
		},
		func(t *testing.T) {
			qtests.Run(t, func(q *qtests.T) { scenario(t, q, func() { q.Clock().Sleep(latency) }) })
		},
	}
	times, costs := make([][]float64, len(turns)), make([][]float64, len(turns))
	for b.Loop() {
		for i, f := range turns {
			runtime.GC()
			start, cpu := time.Now(), processorTime(b)
			inTest(f)
			times[i] = append(times[i], float64(time.Since(start))/perTurn)
			costs[i] = append(costs[i], float64(processorTime(b)-cpu)/perTurn)
		}
	}
	for i, name := range names {
		b.ReportMetric(median(times[i]), name)
		b.ReportMetric(median(costs[i]), "cpu-"+name)
	}
	b.ReportMetric(median(times[2])/median(times[0]), "ratio")
	b.ReportMetric(median(costs[2])/median(costs[0]), "cpu-ratio")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkLoadUsers reports the live heap and stacks per user while all users
// are within a request.
func BenchmarkLoadUsers(b *testing.B) {
	for _, users := range []int{1000, 10_000, 100_000} {
		b.Run(fmt.Sprint(users), func(b *testing.B) {
			for b.Loop() {
				inTest(func(t *testing.T) {
					qtests.Run(t, func(q *qtests.T) {
						before := footprint()
						var during uint64
						q.Clock().AfterFunc(30*time.Second, func() { during = footprint() })
						_, err := load.Do(context.Background(), load.Scenario{
							Clock: q.Clock(), Profile: load.Users(users).For(40 * time.Second),
							Do: func(context.Context, *load.User) error { q.Clock().Sleep(40 * time.Second); return nil },
						})
						if err != nil {
							t.Fatal(err)
						}
						b.ReportMetric(float64(during-before)/float64(users), "B/user")
					})
				})
			}
		})
	}
}

func footprint() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc + m.StackInuse
}

// BenchmarkLoadRealTime compares with vegeta as a library, on one loopback
// server in the same process. Turns of a second alternate.
//
//	qtests-rps, vegeta-rps                  as many requests as 16 users or workers make
//	qtests-cpu-ns, vegeta-cpu-ns            processor time per request, the server's included
//	qtests-late-p99-us, vegeta-late-p99-us  at 2,000/s, started minus due, 99th percentile
func BenchmarkLoadRealTime(b *testing.B) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok")) }))
	defer srv.Close()
	figures := map[string][]float64{}
	note := func(name string, x float64) { figures[name] = append(figures[name], x) }
	for b.Loop() {
		for _, c := range []struct {
			name string
			full func(url string) int
			late func(url string) time.Duration
		}{{"qtests", qtestsFull, qtestsLate}, {"vegeta", vegetaFull, vegetaLate}} {
			start, cpu := time.Now(), processorTime(b)
			n := c.full(srv.URL)
			note(c.name+"-rps", float64(n)/time.Since(start).Seconds())
			note(c.name+"-cpu-ns", float64(processorTime(b)-cpu)/float64(n))
			note(c.name+"-late-p99-us", float64(c.late(srv.URL).Microseconds()))
		}
	}
	for name, xs := range figures {
		b.ReportMetric(median(xs), name)
	}
	b.ReportMetric(0, "ns/op")
}

const workers = 16

func client() *http.Client {
	return &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 1000}}
}

func get(c *http.Client, url string) func(context.Context, *load.User) error {
	return func(ctx context.Context, _ *load.User) error {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		resp, err := c.Do(r)
		if err != nil {
			return err
		}
		_, err = io.Copy(io.Discard, resp.Body)
		return errorOf(err, resp.Body.Close())
	}
}

func errorOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func qtestsFull(url string) int {
	c := client()
	defer c.CloseIdleConnections()
	res, err := load.Do(context.Background(), load.Scenario{Profile: load.Users(workers).For(time.Second), Do: get(c, url)})
	if err != nil || res.Errors > 0 {
		panic(fmt.Sprint(err, res.Text()))
	}
	return int(res.Finished)
}

func qtestsLate(url string) time.Duration {
	c := client()
	defer c.CloseIdleConnections()
	res, err := load.Do(context.Background(), load.Scenario{Profile: load.Rate(2000).For(time.Second), Do: get(c, url)})
	if err != nil || res.Errors > 0 {
		panic(fmt.Sprint(err, res.Text()))
	}
	return res.Late.Percentile(99)
}

func vegetaFull(url string) (n int) {
	a := vegeta.NewAttacker(vegeta.Workers(workers), vegeta.MaxWorkers(workers), vegeta.Client(client()))
	targets := vegeta.NewStaticTargeter(vegeta.Target{Method: http.MethodGet, URL: url})
	for range a.Attack(targets, vegeta.Rate{}, time.Second, "full") {
		n++
	}
	return n
}

func vegetaLate(url string) time.Duration {
	a := vegeta.NewAttacker(vegeta.Client(client()))
	targets := vegeta.NewStaticTargeter(vegeta.Target{Method: http.MethodGet, URL: url})
	var late []time.Duration
	start := time.Now()
	for r := range a.Attack(targets, vegeta.Rate{Freq: 2000, Per: time.Second}, time.Second, "late") {
		due := start.Add(time.Duration(r.Seq) * time.Second / 2000) // its first request is due at once
		late = append(late, max(r.Timestamp.Sub(due), 0))
	}
	slices.Sort(late)
	return late[(len(late)*99+99)/100-1]
}
