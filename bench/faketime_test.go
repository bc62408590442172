package bench

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/benbjohnson/clock"
	vegeta "github.com/tsenart/vegeta/v12/lib"

	"github.com/go-qtests/qtests/bench/internal/compare"
	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/load"
)

const (
	// gap is the time between two arrivals.
	gap = 5 * time.Millisecond
	// apart is a latency with which no two events of a run are due together.
	apart = 41300 * time.Microsecond
	// tied is one with which every answer is due with an arrival.
	tied = 40 * time.Millisecond
)

func fakeTime() compare.Group {
	return compare.Group{
		Name: "load in fake time",
		About: `One operation is one request of an open model at 200/s, which takes as long as it sleeps: the opening of the bubble and
the making of the result are part of the time. Ours records everything that its report shows; the others record nothing,
but for vegeta, which returns a result for every hit. The raw loop is what a test without a library would have: it
sleeps from arrival to arrival and starts a goroutine for each. Where a latency ties with the gap, it fires the timers of
one instant at once and in random order, on all processors, which ours does not.

The floors record nothing and lock nothing. In one, the timer of each arrival arms that of the next; in the other,
no more goroutines than requests under way take turns, each of which sleeps until an arrival and then through the latency:
two sleeps for a request, the least that a bubble can do.`,
		Comparisons: []compare.Comparison{
			sleeping("a step that sleeps 41.3 ms", apart, sleepOnPackageTime,
				compare.Peer("clock.Mock", compare.Timed(func(testing.TB) func(n int) error { return mockLoop }))),
			sleeping("a step that sleeps 40 ms, which ties", tied, sleepOnPackageTime),
			sleeping("a step that sleeps 41.3 ms on the tie-free clock", apart, sleepOnItsClock),
			requesting(),
		},
	}
}

// whySleeping is about requests which do nothing but sleep.
const whySleeping = "In a bubble every sleep is a timer, a goroutine parked and a goroutine made ready, and ours has to sleep " +
	"as often as the floor of reused goroutines, for an arrival and for its request: the floor alone is most of what the target " +
	"allows, and a goroutine for each arrival would cost more than that floor by itself. What ours does on top is to give every " +
	"event an instant of its own, which takes three locks of the clock for a request, to admit and count the request under the run's " +
	"mutex at both ends, to make the User and the context that its step is given, and to record it in three histograms and a timeline."

func sleepOnPackageTime(_ *qtests.T, d time.Duration) { time.Sleep(d) }
func sleepOnItsClock(q *qtests.T, d time.Duration)    { q.Clock().Sleep(d) }

// sleeping compares requests that only sleep.
func sleeping(name string, latency time.Duration, sleep func(*qtests.T, time.Duration), more ...compare.Contestant) compare.Comparison {
	bubble := func(loop func(n int, latency time.Duration)) compare.Work {
		return compare.Timed(func(testing.TB) func(n int) error {
			return func(n int) error { return inBubble(func() { loop(n, latency) }) }
		})
	}
	return compare.Comparison{
		Name: name,
		Contestants: append([]compare.Contestant{
			compare.Ours(compare.Timed(func(testing.TB) func(n int) error {
				return func(n int) error {
					return inRun(func(q *qtests.T) {
						run(q, n, func(context.Context) error { sleep(q, latency); return nil })
					})
				}
			})),
			compare.Peer("raw loop", bubble(rawLoop)),
			compare.Floor("armed by timer", bubble(armedByTimer)),
			compare.Floor("reused goroutines", bubble(reusedGoroutines)),
		}, more...),
		Figures: []compare.Figure{
			compare.TimeOf(compare.Times(0.8, "raw loop")), compare.AllocationsOf(),
		},
		Why: whySleeping,
	}
}

// run is a scenario of n requests.
func run(q *qtests.T, n int, do func(context.Context) error) *load.Result {
	res, err := load.Do(context.Background(), load.Scenario{
		Clock: q.Clock(), Profile: load.Rate(float64(time.Second / gap)).For(time.Duration(n) * gap),
		Do: func(ctx context.Context, _ *load.User) error { return do(ctx) },
	})
	if err != nil {
		q.Fatal(err)
	}
	if res.Finished != int64(n) || res.Errors > 0 {
		q.Fatalf("of %d requests %d finished, %d with an error", n, res.Finished, res.Errors)
	}
	return res
}

func rawLoop(n int, latency time.Duration) {
	var wg sync.WaitGroup
	for range n {
		time.Sleep(gap)
		wg.Go(func() { time.Sleep(latency) })
	}
	wg.Wait()
}

func armedByTimer(n int, latency time.Duration) {
	var wg sync.WaitGroup
	wg.Add(n)
	k := 0
	var fire func()
	fire = func() {
		if k++; k < n {
			time.AfterFunc(gap, fire)
		}
		time.Sleep(latency)
		wg.Done()
	}
	time.AfterFunc(gap, fire)
	wg.Wait()
}

func reusedGoroutines(n int, latency time.Duration) {
	goroutines := int(latency/gap) + 2 // under way, and the one that waits for the next arrival
	start := time.Now()
	var wg sync.WaitGroup
	for g := range goroutines {
		wg.Go(func() {
			for k := g; k < n; k += goroutines {
				time.Sleep(time.Until(start.Add(time.Duration(k+1) * gap)))
				time.Sleep(latency)
			}
		})
	}
	wg.Wait()
}

// mockLoop is the raw loop on a clock that is stepped by hand, outside any bubble.
func mockLoop(n int) error {
	mock := clock.NewMock()
	var left atomic.Int64
	left.Store(int64(n))
	for range n {
		mock.Add(gap)
		go func() {
			mock.Sleep(apart)
			left.Add(-1)
		}()
	}
	for left.Load() > 0 {
		mock.Add(gap)
	}
	return nil
}

// requesting compares requests that go through an http.Client, as vegeta's do.
func requesting() compare.Comparison {
	const url = "http://host/"
	client := &http.Client{Transport: sleepingTransport{}}
	ask := func(ctx context.Context) error {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		resp, err := client.Do(req)
		if err != nil {
			return err
		}
		return resp.Body.Close()
	}
	return compare.Comparison{
		Name: "an http.Client whose transport sleeps 41.3 ms",
		Contestants: []compare.Contestant{
			compare.Ours(compare.Timed(func(testing.TB) func(n int) error {
				return func(n int) error {
					return inRun(func(q *qtests.T) { run(q, n, ask) })
				}
			})),
			compare.Peer("vegeta", compare.Timed(func(testing.TB) func(n int) error {
				return func(n int) (err error) {
					bubbleErr := inBubble(func() { err = attack(n, client, url) })
					return firstOf(err, bubbleErr)
				}
			})),
		},
		Figures: []compare.Figure{compare.TimeOf(compare.Times(1, "vegeta")), compare.AllocationsOf()},
	}
}

// attack is n hits of vegeta's.
func attack(n int, client *http.Client, url string) error {
	attacker := vegeta.NewAttacker(vegeta.Client(client))
	targets := vegeta.NewStaticTargeter(vegeta.Target{Method: http.MethodGet, URL: url})
	pace := vegeta.Rate{Freq: int(time.Second / gap), Per: time.Second}
	hits := 0
	for r := range attacker.Attack(targets, pace, time.Duration(n)*gap, "") {
		if r.Error != "" {
			return fmt.Errorf("vegeta: %s", r.Error)
		}
		hits++
	}
	// Its first hit is due at once, its last one with the end.
	if hits < n || hits > n+1 {
		return fmt.Errorf("vegeta made %d hits, not %d", hits, n)
	}
	return nil
}

type sleepingTransport struct{}

func (sleepingTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	time.Sleep(apart)
	return &http.Response{
		Status: "200 OK", StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Body: http.NoBody, Request: r,
	}, nil
}

func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
