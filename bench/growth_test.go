package bench

import (
	"bytes"
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/bench/internal/chart"
	"github.com/go-qtests/qtests/bench/internal/compare"
	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/load"
	"github.com/go-qtests/qtests/qtests/load/result"
	"github.com/go-qtests/qtests/qtests/load/traffic"
)

// A series is one figure at sizes of something that grows.
type series struct {
	name, label string // of the comparison, and of what grows
	unit        compare.Unit
	sizes       []int
	// limit is how many times the figure at the smallest size the one at the largest may have.
	limit float64
	// at is the figure at a size.
	at  func(n int) (float64, error)
	why string
}

// allSeries are what may grow with a test.
func allSeries() []series {
	return []series{
		{"request, by requests in a run", "requests", compare.Nanoseconds, decades(10_000, 1_000_000), 1.1, costOfRequest, whyRuns},
		{"live heap after a run", "requests", compare.Bytes, decades(10_000, 1_000_000), 1.1, heapOfRun, whyRuns},
		{"request, by users asleep", "users", compare.Nanoseconds, decades(100, 1_000_000), 3, costAsleep, whyAsleep},
		{"user, started and ended", "users", compare.Nanoseconds, decades(1000, 1_000_000), 3, costOfUser, whyStarted},
		{"scrape, a series", "series", compare.Nanoseconds, decades(10, 1000), 1.5, costOfSeries, whyShared},
		{"scrape, a rule", "rules", compare.Nanoseconds, decades(10, 1000), 1.5, costOfRule, whyShared},
		{"sweep, a seed", "seeds", compare.Nanoseconds, decades(10, 1000), 1.1, costOfSeed, whyShared},
	}
}

const (
	whyRuns = "What a run keeps depends on its longest latency and on its steps: histograms, and a timeline whose points are as wide as it " +
		"takes to keep their number within a bound."
	whyShared = "What comes once, whatever their number, is shared by few of them at the smallest size."
	whyAsleep = "The runtime keeps the timers of a bubble in one heap, which is deeper with more of them, and a goroutine that has slept long " +
		"is no longer in the processor's cache when it wakes: with a million, every request misses it for its stack, its timer and its User."
	whyStarted = "Most of it is memory that the process has for the first time, above all the stack of a goroutine: the system gives it page by page."
)

func decades(from, to int) (sizes []int) {
	for n := from; n <= to; n *= 10 {
		sizes = append(sizes, n)
	}
	return sizes
}

func growth() compare.Group {
	g := compare.Group{
		Name: "growth",
		About: `What one costs when there are so many: of the requests of a run, the users who sleep for a second, the series and rules of a
monitor, the seeds of a sweep. Each is to stay flat: the last row of each says how many times the smallest the largest costs.
The requests of users are those between two instants at which all of them sleep. What a run takes before the first and after the last,
with one request of each, is in the row of the user who is started and ended. Small sizes are repeated, so that a reading takes some tenths of a second, and a reading of the largest is one run;
of sweeps, every reading is of a thousand seeds. Ten million requests are for ` + "`make stress`.",
		Chart: growthChart, ChartFile: "growth.svg",
	}
	for _, s := range allSeries() {
		g.Comparisons = append(g.Comparisons, s.comparison())
	}
	return g
}

func (s series) figure(n int) string { return "at " + compare.Number(float64(n)) }
func (s series) largest() string {
	return fmt.Sprintf("at %s to %s", compare.Number(float64(s.sizes[len(s.sizes)-1])), compare.Number(float64(s.sizes[0])))
}

func (s series) comparison() compare.Comparison {
	c := compare.Comparison{
		Name: s.name, Rounds: 1, Why: s.why,
		Contestants: []compare.Contestant{compare.Ours(compare.Measured(func(testing.TB) func(compare.Size) (compare.Readings, error) { return s.measure }))},
	}
	for _, n := range s.sizes {
		c.Figures = append(c.Figures, compare.Figure{Name: s.figure(n), Unit: s.unit})
	}
	c.Figures = append(c.Figures, compare.Figure{Name: s.largest(), Targets: []compare.Target{compare.Bound(s.limit)}})
	return c
}

func (s series) measure(size compare.Size) (compare.Readings, error) {
	readings := compare.Readings{}
	var all []float64
	for _, n := range s.sizes {
		smoke := min(n, max(n/1000, 10))
		x, err := s.at(size.Pick(smoke, n))
		if err != nil {
			return nil, fmt.Errorf("%s, %d: %w", s.name, n, err)
		}
		readings[s.figure(n)], all = x, append(all, x)
	}
	readings[s.largest()] = all[len(all)-1] / all[0]
	return readings, nil
}

// repeated is the median of as many readings as have some hundred thousand operations
// together, or one.
func repeated(n int, once func() (float64, error)) (float64, error) {
	var all []float64
	for range max(1, 300_000/max(n, 10_000)) {
		x, err := once()
		if err != nil {
			return 0, err
		}
		all = append(all, x)
	}
	return compare.Summarize(all).Median, nil
}

func costOfRequest(n int) (float64, error) {
	return repeated(n, func() (float64, error) {
		m, err := measureRun(n, gap)
		return float64(m.time) / float64(n), err
	})
}

func heapOfRun(n int) (float64, error) {
	m, err := measureRun(n, gap)
	return float64(max(m.heap, 1)), err
}

// A usersRun has the times of a run with so many users at once. Each request sleeps for a second.
type usersRun struct{ request, user float64 }

// measured are the runs so far, by their users: two series read each run.
var measured = map[int]usersRun{}

// costAsleep is the time of a request while so many users sleep.
func costAsleep(n int) (float64, error) {
	c, err := usersOf(n)
	return c.request, err
}

// costOfUser is the time of a user with one request, besides those of costAsleep.
func costOfUser(n int) (float64, error) {
	c, err := usersOf(n)
	return c.user, err
}

func usersOf(n int) (usersRun, error) {
	if c, ok := measured[n]; ok {
		return c, nil
	}
	c, err := measureUsers(n, max(3, 100_000/n))
	if err == nil {
		measured[n] = c
	}
	return c, err
}

// measureUsers has n users of so many requests. All of them sleep at the half of each second.
func measureUsers(n, seconds int) (usersRun, error) {
	var first, last time.Duration
	start := clockOfSystem()
	err := inRun(func(q *qtests.T) {
		q.Clock().AfterFunc(time.Second/2, func() { first = clockOfSystem() })
		q.Clock().AfterFunc(time.Duration(seconds)*time.Second-time.Second/2, func() { last = clockOfSystem() })
		res, err := load.Do(context.Background(), load.Scenario{
			Clock: q.Clock(), Traffic: traffic.Users(n).For(time.Duration(seconds) * time.Second),
			Do: func(context.Context, *load.User) error { q.Clock().Sleep(time.Second); return nil },
		})
		if want := int64(n * seconds); err == nil && (res.Errors > 0 || res.Finished != want) {
			err = fmt.Errorf("%d requests of %d finished, %d with an error", res.Finished, want, res.Errors)
		}
		if err != nil {
			q.Fatal(err)
		}
	})
	between := last - first
	return usersRun{
		request: float64(between) / float64(n*(seconds-1)),
		user:    float64(clockOfSystem()-start-between) / float64(n),
	}, err
}

// clockOfSystem reads the real time, which in a bubble package time does not.
func clockOfSystem() time.Duration {
	var now syscall.Timeval
	_ = syscall.Gettimeofday(&now) // it fails only without a place for the answer
	return time.Duration(now.Nano())
}

func costOfSeries(n int) (float64, error) { return costOfScrape(n, 10, n) }
func costOfRule(n int) (float64, error)   { return costOfScrape(1000, n, n) }

// costOfScrape is the time of a scrape by the number of what it has many of.
func costOfScrape(series, rules, by int) (cost float64, err error) {
	err = inTest(func(t *testing.T) {
		scrapes := scraping(t, series, rules)
		times := max(3, 50_000/(series+10*rules))
		start := time.Now()
		if err := scrapes(times); err != nil {
			t.Fatal(err)
		}
		cost = float64(time.Since(start)) / float64(times) / float64(by)
	})
	return cost, err
}

// costOfSeed returns the time of one seed in sweeps of n seeds. Every reading takes a thousand seeds, in as many sweeps as
// that needs: then no size has more fresh memory or more garbage collections than another. The result is the median.
func costOfSeed(n int) (float64, error) {
	const readings, seeds = 11, 1000
	var all []float64
	for range readings {
		start := time.Now()
		for range seeds / n {
			if err := sweep(n); err != nil {
				return 0, err
			}
		}
		all = append(all, float64(time.Since(start))/seeds)
	}
	return compare.Summarize(all).Median, nil
}

// A measuredRun is what a run leaves.
type measuredRun struct {
	time time.Duration // real
	heap int64         // grown, with the result alive
	json int           // length of the result
}

// measureRun runs n requests, one every so often. Each sleeps.
func measureRun(n int, every time.Duration) (m measuredRun, err error) {
	var res *result.Result
	before, start := liveHeap(), time.Now()
	err = inRun(func(q *qtests.T) {
		res, err = load.Do(context.Background(), load.Scenario{
			Clock: q.Clock(), Traffic: traffic.RatePer(1, every).For(time.Duration(n) * every),
			Do: func(context.Context, *load.User) error { q.Clock().Sleep(apart); return nil },
		})
		if err == nil && (res.Finished != int64(n) || res.Response.Min() != apart) {
			err = fmt.Errorf("%d of %d requests finished, after %v or more", res.Finished, n, res.Response.Min())
		}
		if err != nil {
			q.Fatal(err)
		}
	})
	if err != nil {
		return m, err
	}
	m.time = time.Since(start)
	m.heap = liveHeap() - before
	var text bytes.Buffer
	err = res.WriteJSON(&text)
	m.json = text.Len()
	runtime.KeepAlive(res)
	return m, err
}

// TestLongRunStaysSmall holds what a run keeps to what one of a hundredth of its length does:
// 100,000 requests, or with QTESTS_STRESS=100 ten million.
func TestLongRunStaysSmall(t *testing.T) {
	n := min(100_000*stressFactor(t), 10_000_000)
	short, err := measureRun(n/100, gap)
	require.NoError(t, err)
	long, err := measureRun(n, gap)
	require.NoError(t, err)
	require.LessOrEqual(t, long.heap, int64(8<<20))
	require.Less(t, long.json, 3*short.json+64<<10, "the result of a run does not grow with its requests")
}

// growthChart draws the series that were measured.
func growthChart(results []*compare.Result) string {
	var panels []chart.Panel
	for _, s := range allSeries() {
		i := slices.IndexFunc(results, func(r *compare.Result) bool { return r.Name == s.name })
		if i < 0 {
			continue
		}
		p := chart.Panel{Title: s.name, Label: s.label}
		for _, n := range s.sizes {
			y := results[i].Median(compare.OursName, s.figure(n))
			p.Points = append(p.Points, chart.Point{Label: power(n), Y: y, Text: s.unit.Format(y)})
		}
		panels = append(panels, p)
	}
	return chart.SVG(panels...)
}

// power writes a power of ten as one.
func power(n int) string {
	digits := strings.NewReplacer("1", "¹", "2", "²", "3", "³", "4", "⁴", "5", "⁵", "6", "⁶", "7", "⁷")
	return "10" + digits.Replace(fmt.Sprint(len(fmt.Sprint(n))-1))
}

func TestPower(t *testing.T) {
	require.Equal(t, "10¹", power(10))
	require.Equal(t, "10⁶", power(1_000_000))
}
