package bench

import (
	"net/http/httptest"
	"testing"
	"time"

	"github.com/go-qtests/qtests/bench/internal/compare"
)

// Figures of a load generator.
const (
	requestsPerSecond = "requests per second"
	cpuPerRequest     = "processor time per request"
	peakMemory        = "peak memory"
	lateP99           = "late, p99"
)

func realTime() compare.Group {
	users := job{Users: 16}
	raw := generators("16 users, over connections of their own", "qtests, raw", users, whyRaw, fortioOwn.contestant(users), wrk.contestant(users))
	raw.Figures = []compare.Figure{throughput(compare.Times(0.7, wrk.name)), cpuFigure()}
	closed := generators("16 users, as fast as they are answered", "qtests", users, whyRealTime,
		vegetaPeer(users), hey.contestant(users), fortio.contestant(users), wrk.contestant(users))
	closed.Figures = []compare.Figure{throughput(compare.Times(1, "vegeta")), cpuFigure(compare.Times(1, "vegeta")), {Name: peakMemory, Unit: compare.Bytes}}
	g := compare.Group{
		Name: "load in real time",
		About: `Every generator is a process of its own, ours and vegeta's this test binary; the server is in another one, on
loopback, on the same processors. Processor time is the time of the whole process, its start included, over its requests; peak
memory is what it had resident at most. *Late* is the instant at which a request was started less the one at which it was due.
At 100 a second ours has the kernel wake it for every arrival; above, it relies on Go's timers, as vegeta does at any rate. The floor
beside a rate is a loop that sleeps until each arrival and starts a goroutine for it, with the same client.

wrk, in C, is the most that a client does here: with the users of the first row ours sends by net/http, as most services do,
and in the second by a client of 40 lines, written for this row, which sends the same bytes and reads the answer off the
connection. hey and fortio are in Go, by net/http; in the second row fortio has its own client, too. How many requests a second they
made is what they print. fortio is its library in a command of a page, because its own command has parts that nothing here needs.`,
		Comparisons: []compare.Comparison{closed, raw},
	}
	for _, rate := range []int{10_000, 2000, 100} {
		j := job{Rate: rate}
		c := generators(compare.Number(float64(rate))+" a second", "qtests", j, whyRate, vegetaPeer(j), compare.Floor("a loop that sleeps", onLoopback(j, as("loop"))))
		late := compare.Figure{Name: lateP99, Unit: compare.Nanoseconds, MayBeZero: true, Targets: []compare.Target{compare.Times(0.5, "vegeta")}}
		c.Figures = []compare.Figure{late, cpuFigure(compare.Times(0.9, "vegeta"))}
		g.Comparisons = append(g.Comparisons, c)
	}
	return g
}

func throughput(target compare.Target) compare.Figure {
	return compare.Figure{Name: requestsPerSecond, Unit: compare.PerSecond, MoreIsBetter: true, Targets: []compare.Target{target}}
}

func cpuFigure(targets ...compare.Target) compare.Figure {
	return compare.Figure{Name: cpuPerRequest, Unit: compare.Nanoseconds, Targets: targets}
}

const whyRealTime = "Most of the time of all generators goes into system calls for the network and into waking an idle process, which " +
	"is the same for all. In ours a goroutine waits for each arrival, is the request, and records it when it ends; vegeta hands a tick to a " +
	"worker and the outcome to the reader of the results. On top of what the process has anyway, ours keeps histograms and a timeline of all " +
	"figures; vegeta's results are thrown away here but for how late they were."

const whyRate = whyRealTime + " Above some hundreds a second both wait on Go's timers, " +
	"which are up to a millisecond late, and both start all that is due then at once. To be less late costs processor time: where the " +
	"kernel woke the process for every arrival at 2,000 a second, p99 fell from 1.1 to 0.7 ms, and a request took 1.5 times as much; " +
	"where it did for every second one, to 0.8 ms and 1.1 times. So a process that is rarely idle is left to Go's timers. The floor " +
	"keeps no more than how late it was, and takes about as much: nearly all of it is the client's and the scheduler's, and what a " +
	"generator itself can save is little. Where the " +
	"processors cannot do what the rate asks for, lateness is the backlog, of all generators."

const whyRaw = "What is left is the runtime's network poller, which parks and wakes a goroutine for each answer where wrk goes round " +
	"one loop over all of its connections, and the record of each request."

func vegetaPeer(j job) compare.Contestant {
	return compare.Peer("vegeta", onLoopback(j, as("vegeta")))
}

// generators compares load generators that do the same job.
func generators(name, kind string, j job, why string, others ...compare.Contestant) compare.Comparison {
	ours := compare.Ours(onLoopback(j, as(kind)))
	return compare.Comparison{Name: name, Rounds: 5, Why: why, Contestants: append([]compare.Contestant{ours}, others...)}
}

// A generator does a job, whose URL and length are known.
type generator func(job) (compare.Readings, error)

// onLoopback does a job against a server of its own, with what prepare returns.
func onLoopback(j job, prepare func(testing.TB) generator) compare.Work {
	return compare.Measured(func(t testing.TB) func(compare.Size) (compare.Readings, error) {
		do, srv := prepare(t), httptest.NewServer(answerOK)
		t.Cleanup(srv.Close)
		return func(size compare.Size) (compare.Readings, error) {
			j := j
			j.URL, j.Duration = srv.URL, time.Duration(size.Pick(100, 1000))*time.Millisecond
			return do(j)
		}
	})
}

// as makes a generator of that kind, which is this test binary in a process of its own.
func as(kind string) func(testing.TB) generator {
	return func(testing.TB) generator {
		return func(j job) (compare.Readings, error) { return j.as(kind) }
	}
}

func (j job) as(kind string) (compare.Readings, error) {
	j.Kind = kind
	out, p, err := j.outside()
	if err != nil {
		return nil, err
	}
	readings := p.readings(out.Requests, float64(out.Requests)/j.Duration.Seconds())
	if j.Rate > 0 {
		readings[lateP99] = float64(out.LateP99)
	}
	return readings, nil
}

// readings are the figures of a process that made so many requests.
func (p process) readings(requests int, perSecond float64) compare.Readings {
	readings := compare.Readings{
		requestsPerSecond: perSecond,
		cpuPerRequest:     float64(p.cpu) / float64(requests),
	}
	if p.peakRSS > 0 {
		readings[peakMemory] = p.peakRSS
	}
	return readings
}
