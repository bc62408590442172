package load

import (
	"context"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-qtests/qtests/qtests"
)

// inBubble runs body in one bubble and reports its processor time per request.
func inBubble(b *testing.B, body func(t *testing.T, n int)) {
	b.ReportAllocs()
	start := cpuTime(b)
	b.ResetTimer()
	testing.RunTests(func(string, string) (bool, error) { return true, nil }, []testing.InternalTest{{
		Name: "bubble", F: func(t *testing.T) { body(t, b.N) },
	}})
	b.ReportMetric(float64(cpuTime(b)-start)/float64(b.N), "cpu-ns/request")
}

// cpuTime is what this process has used of the processors: unlike real time, it
// can be compared on a machine with other work to do.
func cpuTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkPlainLoop is what a test without this package would write: a loop
// that sleeps between arrivals and starts a goroutine for each, which sleeps in turn.
func BenchmarkPlainLoop(b *testing.B) {
	inBubble(b, func(t *testing.T, n int) {
		synctest.Test(t, func(*testing.T) {
			var wg sync.WaitGroup
			for range n {
				time.Sleep(5 * time.Millisecond)
				wg.Go(func() { time.Sleep(40 * time.Millisecond) })
			}
			wg.Wait()
		})
	})
}

// BenchmarkFloor arms each arrival by the timer of the one before, and records
// nothing.
func BenchmarkFloor(b *testing.B) {
	inBubble(b, func(t *testing.T, n int) {
		synctest.Test(t, func(*testing.T) {
			var wg sync.WaitGroup
			wg.Add(n)
			k := 0
			var fire func()
			fire = func() {
				if k++; k < n {
					time.AfterFunc(5*time.Millisecond, fire)
				}
				time.Sleep(40 * time.Millisecond)
				wg.Done()
			}
			time.AfterFunc(5*time.Millisecond, fire)
			wg.Wait()
		})
	})
}

// BenchmarkOpenRequest records everything.
func BenchmarkOpenRequest(b *testing.B) {
	for name, wait := range map[string]func(*qtests.T, context.Context, *User) error{
		"sleeps on package time": func(*qtests.T, context.Context, *User) error { time.Sleep(40 * time.Millisecond); return nil },
		"sleeps on the clock":    func(q *qtests.T, _ context.Context, _ *User) error { q.Sleep(40 * time.Millisecond); return nil },
	} {
		b.Run(name, func(b *testing.B) {
			inBubble(b, func(t *testing.T, n int) {
				qtests.Run(t, func(q *qtests.T) {
					d := time.Duration(n) * 5 * time.Millisecond
					_, err := Do(context.Background(), Scenario{
						Clock: q.Clock(), Profile: Rate(200).For(d),
						Do: func(ctx context.Context, u *User) error { return wait(q, ctx, u) },
					})
					if err != nil {
						t.Fatal(err)
					}
				})
			})
		})
	}
}

// BenchmarkUsers reports the live heap per user while all of them are in a
// request.
func BenchmarkUsers(b *testing.B) {
	const users = 100_000
	for b.Loop() {
		testing.RunTests(func(string, string) (bool, error) { return true, nil }, []testing.InternalTest{{
			Name: "bubble", F: func(t *testing.T) {
				qtests.Run(t, func(q *qtests.T) {
					before := footprint()
					var after uint64
					q.Go(func() {
						q.Sleep(30 * time.Second)
						after = footprint()
					})
					_, err := Do(context.Background(), Scenario{
						Clock: q.Clock(), Profile: Users(users).For(time.Minute),
						Do: func(ctx context.Context, u *User) error { q.Sleep(50 * time.Second); return nil },
					})
					if err != nil {
						t.Fatal(err)
					}
					b.ReportMetric(float64(after-before)/users, "B/user")
				})
			},
		}})
	}
}

// footprint is the live heap and the stacks.
func footprint() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc + m.StackInuse
}
