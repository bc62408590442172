package bench

import (
	"flag"
	"fmt"
	"strconv"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/benbjohnson/clock"
	"github.com/coder/quartz"

	"github.com/go-qtests/qtests/bench/internal/compare"
	"github.com/go-qtests/qtests/qtests"
)

// suiteSize is how many tests a suite has, and how many seeds a sweep.
const suiteSize = 1000

// tests numbers the tests of all suites: what is known of a test that has run before is not
// found out again, and a suite runs each once.
var tests atomic.Int64

func suites() compare.Group {
	return compare.Group{
		Name: "suite",
		About: `One operation is one test of a suite of 1,000, each a subtest: a goroutine tries three times and waits for 1 and for 2 seconds
in between. A suite has a process of its own, as the tests of a package have. In a bubble nobody has to step a clock. With quartz the
test catches every timer that is made, and then advances the clock to it. ` + "`clock.Mock`" + `, which has a hundred tests, is added to until
the goroutine has ended, and sleeps a millisecond of real time each time. In a sweep one operation is one seed of 1,000, of the same
body in one test; the peer runs a plain bubble as often.`,
		Comparisons: []compare.Comparison{
			{
				Name: "1,000 small tests", Rounds: 3,
				Contestants: []compare.Contestant{
					compare.Ours(suite("qtests", suiteSize)),
					compare.Peer("synctest", suite("synctest", suiteSize)),
					compare.Peer("quartz", suite("quartz", suiteSize)),
					compare.Peer("clock.Mock", suite("clock.Mock", suiteSize/10)),
				},
				Figures: []compare.Figure{compare.TimeOf(compare.Times(3, "synctest")), compare.AllocationsOf()},
				Why:     whySuite,
			},
			{
				Name: "sweep of 1,000 seeds", Rounds: 5,
				Contestants: []compare.Contestant{
					compare.Ours(requestsInTurn(suiteSize, sweep)),
					compare.Peer("synctest", requestsInTurn(suiteSize, func(n int) error { return bubbled(retryInBubble)(nil)(n) })),
				},
				Figures: []compare.Figure{compare.TimeOf(compare.Times(3, "synctest")), compare.AllocationsOf()},
				Why:     whyBubble,
			},
		},
	}
}

const whySuite = whyBubble + " And of a test that it does not know it finds out, by collections, whether it leaves something in a sync.Pool, " +
	"which would end the process in a later bubble: in a suite the collections may take 20 ms, and a tenth of its time."

// suite is so many tests of a kind, in a process of its own.
func suite(kind string, n int) compare.Work {
	return compare.Measured(func(testing.TB) func(compare.Size) (compare.Readings, error) {
		return func(size compare.Size) (compare.Readings, error) {
			out, _, err := job{Kind: "suite, " + kind, Users: size.Pick(10, n)}.outside()
			return out.Readings, err
		}
	})
}

// suiteOf makes the job of a process that runs the test again and again.
func suiteOf(once func(t *testing.T)) func(job) (outcome, error) {
	return func(j job) (outcome, error) {
		meter := compare.StartMeter()
		err := inTest(func(t *testing.T) {
			for range j.Users {
				t.Run(strconv.FormatInt(tests.Add(1), 10), once)
			}
		})
		return outcome{Readings: meter.Readings(j.Users)}, err
	}
}

// retry tries until the third time, and says so.
func retry(sleep func(time.Duration), done chan<- error) {
	tries := 0
	for tries < 3 {
		if tries > 0 {
			sleep(time.Duration(tries) * time.Second)
		}
		tries++
	}
	done <- nil
}

// begin has a goroutine try.
func begin(sleep func(time.Duration)) <-chan error {
	done := make(chan error, 1)
	go retry(sleep, done)
	return done
}

func retryInRun(t *testing.T) { qtests.Run(t, retryOnItsClock) }

func retryOnItsClock(q *qtests.T) {
	start := q.Clock().Now()
	if err := <-begin(q.Clock().Sleep); err != nil || q.Clock().Since(start).Round(time.Millisecond) != 3*time.Second {
		q.Errorf("%v after %v", err, q.Clock().Since(start))
	}
}

func retryInBubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		if err := <-begin(time.Sleep); err != nil || time.Since(start) != 3*time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
	})
}

func retryOnQuartz(t *testing.T) {
	mock := quartz.NewMock(t)
	trap := mock.Trap().NewTimer()
	defer trap.Close()
	done := begin(func(d time.Duration) { <-mock.NewTimer(d).C })
	for i := range 2 {
		trap.MustWait(t.Context()).MustRelease(t.Context())
		mock.Advance(time.Duration(i+1) * time.Second).MustWait(t.Context())
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func retryOnMock(t *testing.T) {
	mock := clock.NewMock()
	done := begin(mock.Sleep)
	for {
		select {
		case err := <-done:
			if err != nil {
				t.Error(err)
			}
			return
		default:
			mock.Add(time.Second)
		}
	}
}

// sweep runs the body under n seeds in one test.
func sweep(n int) (err error) {
	seeds := flag.Lookup("qtests.seeds")
	before := seeds.Value.String()
	if err := seeds.Value.Set(strconv.Itoa(n)); err != nil {
		return err
	}
	defer func() { err = firstOf(err, seeds.Value.Set(before)) }()
	ran := 0
	err = inRun(func(q *qtests.T) { ran++; retryOnItsClock(q) })
	if err == nil && ran != n {
		err = fmt.Errorf("%d seeds of %d were run", ran, n)
	}
	return err
}
