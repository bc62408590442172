package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"runtime"
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

func growth() compare.Group {
	return compare.Group{
		Name: "growth",
		About: `What a request costs in a run of so many, and what is alive after it, its result included. Both have to stay flat,
which the longest run is judged by in comparison with one of a hundredth of its length; and what is alive has a bound. Short runs
are repeated, and the median of them is one reading. The day is 24 hours at 100/s, 8.64 million requests, and is compared
with an hour at that rate.`,
		Comparisons: []compare.Comparison{sizes(), day()},
		Chart:       growthChart,
		ChartFile:   "growth.svg",
	}
}

var (
	runLengths = []int{10_000, 100_000, 1_000_000, 10_000_000}
	runNames   = []string{"10⁴", "10⁵", "10⁶", "10⁷"}
)

func costAt(name string) string { return "time per request, " + name + " requests" }
func heapAt(name string) string { return "live heap, " + name + " requests" }

const (
	costToShort = "time per request, 10⁷ to 10⁵ requests"
	heapToShort = "live heap, 10⁷ to 10⁵ requests"
)

// sizes are runs of growing length.
func sizes() compare.Comparison {
	c := compare.Comparison{
		Name:   "run",
		Rounds: 3,
		Contestants: []compare.Contestant{compare.Ours(compare.Measured(func(testing.TB) func(compare.Size) (compare.Readings, error) {
			return measureSizes
		}))},
	}
	c.Why = "What a run keeps depends on its longest latency and on its steps: histograms, and a timeline whose points are as wide as it " +
		"takes to keep their number within a bound. How many that are differs from one length to another."
	for _, name := range runNames {
		c.Figures = append(c.Figures,
			compare.Figure{Name: costAt(name), Unit: compare.Nanoseconds},
			compare.Figure{Name: heapAt(name), Unit: compare.Bytes, MayBeZero: true, Targets: []compare.Target{compare.Bound(8 << 20)}})
	}
	for _, name := range []string{costToShort, heapToShort} {
		c.Figures = append(c.Figures, compare.Figure{Name: name, Targets: []compare.Target{compare.Bound(1.1)}})
	}
	return c
}

func measureSizes(size compare.Size) (compare.Readings, error) {
	readings := compare.Readings{}
	for i, name := range runNames {
		// Short runs are repeated, or they would say more about the moment.
		repeats := max(1, 1_000_000/runLengths[i])
		n := runLengths[i]
		if size == compare.Smoke {
			n, repeats = n/1000, 1
		}
		var times, heaps []float64
		for range repeats {
			r, err := measureRun(n, gap)
			if err != nil {
				return nil, err
			}
			times, heaps = append(times, float64(r.time)/float64(n)), append(heaps, float64(r.heap))
		}
		readings[costAt(name)] = compare.Summarize(times).Median
		readings[heapAt(name)] = compare.Summarize(heaps).Median
	}
	addRatios(readings)
	return readings, nil
}

// addRatios compares the longest run with a shorter one.
func addRatios(r compare.Readings) {
	r[costToShort] = r[costAt("10⁷")] / r[costAt("10⁵")]
	r[heapToShort] = r[heapAt("10⁷")] / r[heapAt("10⁵")]
}

func TestAddRatios(t *testing.T) {
	r := compare.Readings{costAt("10⁵"): 2, costAt("10⁷"): 3, heapAt("10⁵"): 4, heapAt("10⁷"): 10}
	addRatios(r)
	require.Equal(t, 1.5, r[costToShort])
	require.Equal(t, 2.5, r[heapToShort])
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

const (
	dayGrown  = "live heap, grown"
	dayResult = "JSON of the result"
	dayToHour = "JSON of the result, to the one of an hour"
)

// day is a soak.
func day() compare.Comparison {
	return compare.Comparison{
		Name:   "a day",
		Rounds: 1,
		Contestants: []compare.Contestant{compare.Ours(compare.Measured(func(testing.TB) func(compare.Size) (compare.Readings, error) {
			return measureDay
		}))},
		Figures: []compare.Figure{
			{Name: dayGrown, Unit: compare.Bytes, MayBeZero: true, Targets: []compare.Target{compare.Bound(8 << 20)}},
			{Name: dayResult, Unit: compare.Bytes},
			{Name: dayToHour, Targets: []compare.Target{compare.Bound(1.05)}},
		},
		Why: "The timeline of a day may have more points than the one of an hour, within the same bound, and has longer numbers in them.",
	}
}

func measureDay(size compare.Size) (compare.Readings, error) {
	const every = 10 * time.Millisecond
	perHour := size.Pick(100, int(time.Hour/every))
	short, err := measureRun(perHour, every)
	long, err2 := measureRun(24*perHour, every)
	if err := errors.Join(err, err2); err != nil {
		return nil, err
	}
	return compare.Readings{
		dayGrown:  float64(long.heap),
		dayResult: float64(long.json),
		dayToHour: float64(long.json) / float64(short.json),
	}, nil
}

// growthChart draws what sizes measured.
func growthChart(results []*compare.Result) string {
	for _, r := range results {
		if r.Name != "run" {
			continue
		}
		var cost, heap []chart.Point
		for _, name := range runNames {
			c, h := r.Median(compare.OursName, costAt(name)), r.Median(compare.OursName, heapAt(name))
			cost = append(cost, chart.Point{Label: name, Y: c, Text: compare.Nanoseconds.Format(c)})
			heap = append(heap, chart.Point{Label: name, Y: h, Text: compare.Bytes.Format(h)})
		}
		return chart.SVG("requests in a run",
			chart.Panel{Title: "time per request", Points: cost},
			chart.Panel{Title: "live heap after the run", Points: heap})
	}
	return chart.SVG("requests in a run")
}
