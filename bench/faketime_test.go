package bench

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"

	"github.com/go-qtests/qtests/bench/internal/compare"
	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/load"
	"github.com/go-qtests/qtests/qtests/load/result"
	"github.com/go-qtests/qtests/qtests/load/traffic"
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
	steps := []struct {
		name    string
		latency time.Duration
		sleep   sleeper
		why     string
	}{
		{"a step that sleeps 41.3 ms", apart, sleepOnPackageTime, whySleeping},
		{"a step that sleeps 40 ms, which ties", tied, sleepOnPackageTime, whySleeping},
	}
	g := compare.Group{
		Name: "load in fake time",
		About: `One operation is one request of an open model at 200/s, which takes as long as it sleeps: the opening of the bubble and
the making of the result are part of the time. Ours records everything that its report shows; the others record nothing,
but for vegeta, which returns a result for every hit. The raw loop is what a test without a library would have: it
sleeps from arrival to arrival and starts a goroutine for each. Where a latency ties with the gap, it fires the timers of
one instant at once and in random order, on all processors, which ours does not.

The floors count nothing. In one, the timer of each arrival arms the timer of the next; in the other,
no more goroutines than requests under way take turns; each sleeps until an arrival and then through the latency:
two sleeps for a request, the least that a bubble can do. The two after it are the same loop with what ours does on top of
it, one thing at a time: the arrivals wait on the tie-free clock, each in a place that is reserved beforehand; and every
request is then also recorded in as many histograms as ours has for it, under a mutex. What ours costs beyond the last floor
is the rest: admitting and counting requests, their User and context, the timeline.

` + "`clock.Mock`" + ` is the loop on a clock that is stepped by hand, without a bubble. Nearly all of its time is waiting: every ` + "`Add`" + `
ends with a sleep of a millisecond of real time, so that those who were woken get on, and so does every timer that fires.`,
	}
	for _, s := range steps {
		g.Comparisons = append(g.Comparisons, sleeping(s.name, s.latency, s.sleep, s.why))
	}
	g.Comparisons = append(g.Comparisons, steppedByHand(), requesting())
	return g
}

// recordedFloor does what ours has to.
const recordedFloor = "reused, tie-free clock, recorded"

// whySleeping is about requests which do nothing but sleep.
const whySleeping = "In a bubble every sleep is a timer, a goroutine parked and a goroutine made ready, and ours has to sleep " +
	"as often as the floor of reused goroutines, for an arrival and for its request. What is left " +
	"is to admit and count the request under the run's mutex at both ends, to make the User and the context that its step is " +
	"given, and the timeline."

// A sleeper is how a step sleeps under qtests.Run.
type sleeper func(q *qtests.T, d time.Duration)

func sleepOnPackageTime(_ *qtests.T, d time.Duration) { time.Sleep(d) }

// A fakeLoop makes n requests that sleep, one every gap, in a bubble of its own.
type fakeLoop func(n int) error

// bubble is a loop in a plain bubble.
func bubble(loop requestLoop, latency time.Duration) fakeLoop {
	return func(n int) (err error) {
		bubbleErr := inBubble(func() { err = took(n, latency, func() { loop(n, latency, func() { time.Sleep(latency) }) }) })
		return firstOf(err, bubbleErr)
	}
}

// ourLoop is a scenario of package load.
func ourLoop(latency time.Duration, sleep sleeper) fakeLoop {
	return func(n int) error {
		return inRun(func(q *qtests.T) {
			res := run(q, n, func(context.Context) error { sleep(q, latency); return nil })
			if err := tookAsLong(res, n, latency); err != nil {
				q.Error(err)
			}
		})
	}
}

// fakeLoops are the contestants of the rows about requests that sleep, and their
// loops.
func fakeLoops(latency time.Duration, sleep sleeper) (all []struct {
	compare.Contestant
	loop fakeLoop
}) {
	add := func(c compare.Contestant, loop fakeLoop) {
		c.Work = compare.Timed(func(testing.TB) func(n int) error { return loop })
		all = append(all, struct {
			compare.Contestant
			loop fakeLoop
		}{c, loop})
	}
	none := compare.Work{}
	add(compare.Ours(none), ourLoop(latency, sleep))
	add(compare.Peer("raw loop", none), bubble(rawLoop, latency))
	add(compare.Floor("armed by timer", none), bubble(armedByTimer, latency))
	add(compare.Floor("reused goroutines", none), bubble(reusedGoroutines, latency))
	add(compare.Floor("reused, tie-free clock", none), reusedOnClock(latency, sleep, nil))
	add(compare.Floor(recordedFloor, none), reusedOnClock(latency, sleep, &endings{}))
	return all
}

// sleeping compares requests that only sleep.
func sleeping(name string, latency time.Duration, sleep sleeper, why string) compare.Comparison {
	c := compare.Comparison{
		Name:    name,
		Figures: []compare.Figure{compare.TimeOf(compare.Times(1.15, recordedFloor)), compare.AllocationsOf()},
		Why:     why,
	}
	for _, l := range fakeLoops(latency, sleep) {
		c.Contestants = append(c.Contestants, l.Contestant)
	}
	return c
}

// run is a scenario of n requests.
func run(q *qtests.T, n int, do func(context.Context) error) *result.Result {
	res, err := load.Do(context.Background(), load.Scenario{
		Clock: q.Clock(), Traffic: traffic.Rate(float64(time.Second / gap)).For(time.Duration(n) * gap),
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

// steppedByHand is a row of its own: a turn of clock.Mock is a second or two of
// real time, or it would be as long as what is under way at the end takes.
func steppedByHand() compare.Comparison {
	const requests = 1000
	return compare.Comparison{
		Name:   "a step that sleeps 41.3 ms, 1,000 requests",
		Rounds: 3,
		Contestants: []compare.Contestant{
			compare.Ours(requestsInTurn(requests, ourLoop(apart, sleepOnPackageTime))),
			compare.Peer("clock.Mock", requestsInTurn(requests, mockLoop)),
		},
		Figures: []compare.Figure{compare.TimeOf(), compare.AllocationsOf()},
	}
}

// requestsInTurn is a loop whose turns have so many requests, however long they take.
func requestsInTurn(full int, loop fakeLoop) compare.Work {
	return compare.Measured(func(testing.TB) func(compare.Size) (compare.Readings, error) {
		return func(size compare.Size) (compare.Readings, error) {
			n := size.Pick(10, full)
			meter := compare.StartMeter()
			err := loop(n)
			return meter.Readings(n), err
		}
	})
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
		Why: "Both pay for the http.Client, which is the larger part. Ours records every request in histograms and a timeline as it " +
			"ends; vegeta hands a result to the reader of its channel, which here looks at it and keeps nothing.",
	}
}

// attack is n hits of vegeta's.
func attack(n int, client *http.Client, url string) error {
	attacker := vegeta.NewAttacker(vegeta.Client(client))
	targets := vegeta.NewStaticTargeter(vegeta.Target{Method: http.MethodGet, URL: url})
	pace := vegeta.Rate{Freq: int(time.Second / gap), Per: time.Second}
	// Its k-th hit is due after k gaps, as ours is. Whether the time is over it asks
	// before it waits for the next one: of exactly n gaps nothing is over at the n-th
	// hit, and it would make another.
	hits, start := 0, time.Now()
	for r := range attacker.Attack(targets, pace, time.Duration(n)*gap-1, "") {
		if r.Error != "" {
			return fmt.Errorf("vegeta: %s", r.Error)
		}
		if due := start.Add(time.Duration(r.Seq+1) * gap); !r.Timestamp.Equal(due) || r.Latency != apart {
			return fmt.Errorf("vegeta's hit %d is at %v and takes %v", r.Seq, r.Timestamp.Sub(start), r.Latency)
		}
		hits++
	}
	if hits != n {
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
