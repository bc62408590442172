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
	return compare.Group{
		Name: "load in real time",
		About: `Every generator is a process of its own, ours and vegeta's this test binary; the server is in another one, on
loopback, on the same processors. Each turn takes three seconds. Processor time is the time of the whole process, its
start included, over its requests; peak memory is what it had resident at most, and the floor what a process of this
binary has that does nothing. *Late* is the instant at which a request was started less the one at which it was due. k6
has no figure for it: a script reads the time in milliseconds only. At 100 a second ours has the kernel wake it for every
arrival; at 2,000 it relies on Go's timers, as vegeta does at any rate.`,
		Comparisons: []compare.Comparison{
			generators("16 users, as fast as they are answered", job{Users: 16}, []compare.Figure{
				{Name: requestsPerSecond, Unit: compare.PerSecond, MoreIsBetter: true, Targets: []compare.Target{
					compare.Times(1, "vegeta"), compare.Times(1.5, "k6"),
				}},
				cpuFigure(), memoryFigure(),
			}),
			generators("2,000 a second", job{Rate: 2000}, []compare.Figure{lateFigure(), cpuFigure(), memoryFigure()}),
			generators("100 a second", job{Rate: 100}, []compare.Figure{lateFigure(), cpuFigure(), memoryFigure()}),
		},
	}
}

func lateFigure() compare.Figure {
	return compare.Figure{Name: lateP99, Unit: compare.Nanoseconds, MayBeZero: true, Targets: []compare.Target{compare.Times(1, "vegeta")}}
}

func cpuFigure() compare.Figure {
	return compare.Figure{Name: cpuPerRequest, Unit: compare.Nanoseconds, Targets: []compare.Target{compare.Times(1, "vegeta")}}
}

func memoryFigure() compare.Figure { return compare.Figure{Name: peakMemory, Unit: compare.Bytes} }

const whyRealTime = "Most of the time of all generators goes into system calls for the network and into waking an idle process, which " +
	"is the same for all. In ours a goroutine waits for each arrival, is the request, and records it when it ends; vegeta hands a tick to a " +
	"worker and the outcome to the reader of the results. On top of what the process has anyway, ours keeps histograms and a timeline of all " +
	"figures; vegeta's results are thrown away here but for how late they were."

// generators compares load generators that do the same job.
func generators(name string, j job, figures []compare.Figure) compare.Comparison {
	work := func(do func(t testing.TB, j job) (compare.Readings, error)) compare.Work {
		return compare.Measured(func(t testing.TB) func(compare.Size) (compare.Readings, error) {
			srv := httptest.NewServer(answerOK)
			t.Cleanup(srv.Close)
			return func(size compare.Size) (compare.Readings, error) {
				j := j
				j.URL, j.Duration = srv.URL, time.Duration(size.Pick(200, 3000))*time.Millisecond
				return do(t, j)
			}
		})
	}
	generator := func(kind string) compare.Work {
		return work(func(_ testing.TB, j job) (compare.Readings, error) {
			j.Kind = kind
			return j.generate()
		})
	}
	ours := compare.Ours(generator("qtests"))
	ours.Profile = func(file string) error {
		srv := httptest.NewServer(answerOK)
		defer srv.Close()
		j := j
		j.Kind, j.URL, j.Duration = "qtests", srv.URL, 3*time.Second
		_, _, err := j.outside(file)
		return err
	}
	k6 := compare.Peer("k6", work(func(t testing.TB, j job) (compare.Readings, error) { return runK6(t.TempDir(), j) }))
	k6.Absent = k6Absent()
	return compare.Comparison{
		Name: name, Rounds: 9, Figures: figures, Why: whyRealTime,
		Contestants: []compare.Contestant{ours, compare.Peer("vegeta", generator("vegeta")), k6, compare.Floor("idle process", work(idle))},
	}
}

// idle is what a process of this binary has that does nothing.
func idle(_ testing.TB, j job) (compare.Readings, error) {
	j.Kind = "idle"
	_, p, err := j.outside("")
	return compare.Readings{peakMemory: p.peakRSS}, err
}

// generate does the job of a load generator.
func (j job) generate() (compare.Readings, error) {
	out, p, err := j.outside("")
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
