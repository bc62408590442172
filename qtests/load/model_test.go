package load

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/event"
	"github.com/go-qtests/qtests/qtests/internal/stress"
	"github.com/go-qtests/qtests/qtests/latency"
	"github.com/go-qtests/qtests/qtests/load/internal/record"
	"github.com/go-qtests/qtests/qtests/load/result"
	"github.com/go-qtests/qtests/qtests/load/traffic"
	"github.com/go-qtests/qtests/qtests/tb"
)

// anyScenario draws a scenario from everything there is.
func anyScenario(r *rand.Rand) Scenario {
	service := latency.LogNormal(5*time.Millisecond, 500*time.Millisecond)
	work := func(ctx context.Context, u *User) error {
		switch n := u.Rand().IntN(100); {
		case n == 0:
			panic("drawn")
		case n == 1:
			runtime.Goexit()
		case n < 10:
			return errors.New("drawn " + strconv.Itoa(n))
		case n < 20:
			u.Tag("kind", strconv.Itoa(n))
		case n < 30:
			_ = u.Part(ctx, "part", func(ctx context.Context) error { return u.Sleep(ctx, time.Millisecond) })
		}
		u.Check("even", u.Request()%2 == 0)
		return u.Sleep(ctx, service.Sample(u.Rand()))
	}
	s := Scenario{Do: work, NoGrace: r.IntN(2) == 0}
	if r.IntN(3) == 0 {
		s.Do, s.Steps = nil, []Step{{Name: "a", Weight: 1 + r.IntN(5), Do: work}, {Name: "b", Weight: 1 + r.IntN(5), Do: work}, {Name: "c", Do: work}}
	}
	if r.IntN(2) == 0 {
		s.Timeout = time.Duration(1+r.IntN(500)) * time.Millisecond
	}
	if r.IntN(2) == 0 {
		s.Retry = Retry{Max: 1 + r.IntN(3), Backoff: latency.Exponential(10 * time.Millisecond), Budget: float64(r.IntN(3)) / 4}
	}
	second := func() time.Duration { return time.Duration(1+r.IntN(3)) * time.Second }
	if r.IntN(3) == 0 {
		s.Traffic = traffic.Users(r.IntN(10)).To(float64(1+r.IntN(30)), second()).For(second()).To(float64(r.IntN(5)), second())
		s.ThinkTime = latency.Exponential(50 * time.Millisecond)
		if r.IntN(2) == 0 {
			s.Traffic = s.Traffic.Budget(1 + r.IntN(500))
		}
		return s
	}
	s.Traffic = traffic.Rate(float64(r.IntN(100))).To(float64(20+r.IntN(200)), second()).For(second())
	switch r.IntN(4) {
	case 0:
		s.Traffic = s.Traffic.Poisson()
	case 1:
		s.Traffic = traffic.Bursts(1+r.IntN(50), 300*time.Millisecond).For(second())
	case 2:
		s.Traffic = s.Traffic.Budget(1 + r.IntN(200))
	}
	if r.IntN(2) == 0 {
		s.MaxInFlight = 1 + r.IntN(10)
		if r.IntN(2) == 0 {
			s.Overflow, s.MaxQueue = Queue, 1+r.IntN(50)
		}
	}
	return s
}

// TestAnyScenarioAddsUp runs drawn scenarios and holds the result against the
// stream of samples, counted again by a reference that keeps everything.
func TestAnyScenarioAddsUp(t *testing.T) {
	for seed := range uint64(stress.Rounds(t, 60)) {
		qtests.Run(t, func(q *qtests.T) {
			s := anyScenario(rand.New(rand.NewPCG(seed, 0)))
			var stream bytes.Buffer
			s.Clock, s.Seed, s.RequestLog = q.Clock(), seed+1, result.JSONRequestLog(&stream)
			res, err := Do(context.Background(), s)
			require.NoError(q, err)
			fail := func(what string) string {
				return what + ": TestAnyScenarioAddsUp, scenario " + strconv.FormatUint(seed, 10)
			}
			require.Equal(q, res.Scheduled, res.Started+res.Dropped, fail("scheduled"))
			require.Equal(q, res.Started, res.Finished+res.Interrupted, fail("started"))
			require.Equal(q, res.Finished, res.Response.Count(), fail("response"))
			require.Zero(q, res.Abandoned, fail("abandoned"))
			require.GreaterOrEqual(q, res.Attempts, res.Started)
			require.Equal(q, res.Attempts-res.Started, res.Retries, fail("retries"))
			var steps, kinds, errs int64
			for _, x := range res.Steps {
				if !x.Part {
					steps += x.Finished
					errs += x.Errors
				}
			}
			for _, x := range res.ErrorKinds {
				kinds += x.Count
			}
			require.Equal(q, res.Finished, steps, fail("steps"))
			require.Equal(q, res.Errors, errs, fail("errors of steps"))
			require.Equal(q, res.Errors, kinds, fail("errors by kind"))
			sums := result.Point{}
			for _, p := range res.Timeline {
				sums.Arrivals += p.Arrivals
				sums.Started += p.Started
				sums.Finished += p.Finished
				sums.Errors += p.Errors
				sums.Dropped += p.Dropped
				sums.Interrupted += p.Interrupted
				sums.Retries += p.Retries
			}
			require.Equal(q, result.Point{Arrivals: res.Scheduled, Started: res.Started, Finished: res.Finished, Errors: res.Errors,
				Dropped: res.Dropped, Interrupted: res.Interrupted, Retries: res.Retries}, sums, fail("timeline"))

			var responses []time.Duration
			states := map[string]int64{}
			for in := json.NewDecoder(&stream); in.More(); {
				var x result.LoggedRequest
				require.NoError(q, in.Decode(&x))
				require.LessOrEqual(q, x.Intended, x.Started)
				require.LessOrEqual(q, x.Started, x.Finished)
				if states[x.State]++; x.State == result.StateDropped {
					continue
				}
				responses = append(responses, tb.Round(x.Finished-x.Intended))
			}
			require.Len(q, responses, int(res.Started), fail("samples"))
			require.Equal(q, []int64{res.Finished - res.Errors, res.Errors, res.Interrupted, res.Dropped},
				[]int64{states[result.StateOK], states[result.StateError], states[result.StateInterrupted], states[result.StateDropped]}, fail("states"))
			if res.Interrupted == 0 && len(responses) > 0 {
				slices.Sort(responses)
				require.Equal(q, responses[len(responses)-1], res.Response.Max(), fail("max"))
				want := responses[result.RankOf(95, uint64(len(responses)))-1]
				require.InDelta(q, want, res.Response.Percentile(95), float64(want)/1000+1, fail("p95"))
			}
		})
	}
}

// TestSameResultEveryTime runs one lively scenario again and again, on one, two and
// eight processors and in another process, and compares JSON, text, report and
// samples byte for byte.
func TestSameResultEveryTime(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	first := lively(t)
	digest := fmt.Sprintf("digest %x", sha256.Sum256([]byte(first)))
	const child = "QTESTS_DIGEST_ONLY"
	if os.Getenv(child) != "" {
		fmt.Println(digest)
		return
	}
	require.Contains(t, first, "timeout")
	for i := range stress.Rounds(t, 200) {
		runtime.GOMAXPROCS([]int{1, 2, 8}[i%3])
		if next := lively(t); next != first {
			t.Fatalf("run %d differs from the first: %s", i, firstDifference(first, next))
		}
	}
	cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.timeout=60s")
	cmd.Env = append(os.Environ(), child+"=1")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Contains(t, string(out), digest)
}

// lively returns all that a run of several scenarios tells.
func lively(t *testing.T) (all string) {
	qtests.Run(t, func(q *qtests.T) {
		var out bytes.Buffer
		samples := result.CSVRequestLog(&out)
		server := make(chan struct{}, 2)
		service := latency.LogNormal(20*time.Millisecond, 200*time.Millisecond)
		work := func(ctx context.Context, u *User) error {
			select {
			case server <- struct{}{}:
			case <-ctx.Done():
				return ctx.Err()
			}
			defer func() { <-server }()
			if err := u.Sleep(ctx, service.Sample(u.Rand())); err != nil || u.Rand().IntN(10) > 0 {
				return err
			}
			return errors.New("drawn")
		}
		for _, res := range RunAll(q,
			Scenario{Name: "open", Traffic: traffic.Rate(60).For(2 * time.Second).Poisson(), Timeout: 300 * time.Millisecond, Do: work, RequestLog: samples,
				Retry: Retry{Max: 2, Backoff: latency.Fixed(5 * time.Millisecond)}},
			Scenario{Name: "bursts", Traffic: traffic.Bursts(10, time.Second).For(2 * time.Second), Do: work, MaxInFlight: 3, Overflow: Queue, RequestLog: samples},
			Scenario{Name: "users", Traffic: traffic.Users(5).To(9, time.Second).To(2, time.Second), ThinkTime: latency.Exponential(50 * time.Millisecond), Do: work,
				NoGrace: true, RequestLog: samples},
		) {
			j := jsonOf(q, res)
			out.Write(j)
			out.WriteString(res.String())
			require.NoError(q, res.WriteHTML(&out))
		}
		all = out.String()
	})
	return all
}

// firstDifference shows where two texts part.
func firstDifference(a, b string) string {
	i := 0
	for i < len(a) && i < len(b) && a[i] == b[i] {
		i++
	}
	around := func(s string) string { return s[max(i-150, 0):min(i+150, len(s))] }
	return "at byte " + strconv.Itoa(i) + "\n" + around(a) + "\n--- against\n" + around(b)
}

// TestMemoryDoesNotGrowWithRequests runs ten times as long and wants the same.
func TestMemoryDoesNotGrowWithRequests(t *testing.T) {
	stress.Figures(t)
	run := func(d time.Duration) (size, points int, heap int64) {
		qtests.Run(t, func(q *qtests.T) {
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			res, err := Do(context.Background(), Scenario{
				Clock: q.Clock(), Traffic: traffic.Rate(100).For(d),
				Do: func(ctx context.Context, u *User) error {
					q.Sleep(time.Duration(1+u.Request()%97) * time.Millisecond)
					return nil
				},
			})
			require.NoError(q, err)
			require.EqualValues(q, 100*d/time.Second, res.Finished)
			runtime.GC()
			runtime.ReadMemStats(&after)
			j := jsonOf(q, res)
			size, points, heap = len(j), len(res.Timeline), int64(after.HeapAlloc)-int64(before.HeapAlloc)
			runtime.KeepAlive(res)
		})
		return size, points, heap
	}
	short, few, _ := run(10 * time.Minute)
	whole := time.Duration(stress.Rounds(t, 100)) * time.Minute
	long, many, heap := run(whole)
	t.Logf("result %d bytes with %d points after 10 minutes, %d with %d after %v; the heap grew by %d", short, few, long, many, whole, heap)
	require.Less(t, heap, int64(8<<20))
	require.LessOrEqual(t, many, record.MaxPoints)
	require.InEpsilon(t, float64(short)/float64(few), float64(long)/float64(many), 0.2, "the numbers have more digits")
}

func TestScaleMultipliesArrivalsAndNoInstant(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		e := event.New("e", func() {}, nil).At(30 * time.Second)
		base := Scenario{Clock: q.Clock(), Traffic: traffic.Rate(100).For(time.Minute), Events: []event.Event{e}, Do: serve(0)}
		s := base.scaledBy(0.1)
		require.Equal(q, time.Minute, s.Traffic.Duration())
		require.Equal(q, 30*time.Second, s.Events[0].Offset)
		require.Len(q, offsetsOf(t, s.Traffic), 600)
		base.Traffic = traffic.Users(20).To(3, time.Minute)
		got := base.scaledBy(0.1).Traffic.Changes()
		n := 0
		for c, ok := got.Next(); ok && c.Comes; c, ok = got.Next() {
			n++
		}
		require.Equal(q, 2, n, "a tenth of the users, and at least one")
	})
	real := Scenario{Traffic: traffic.Rate(100).For(time.Minute), Events: []event.Event{event.New("e", func() {}, nil).At(30 * time.Second).For(10 * time.Second)}, Do: serve(0)}
	require.Equal(t, time.Minute, real.scaledBy(0.1).Traffic.Duration())
	real.Scalable = true
	short := real.scaledBy(0.1)
	require.Equal(t, 6*time.Second, short.Traffic.Duration())
	require.Equal(t, 3*time.Second, short.Events[0].Offset)
	require.Equal(t, time.Second, short.Events[0].Duration)
	require.Equal(t, 30*time.Second, real.Events[0].Offset, "the scenario is a value")
	for _, bad := range []string{"0", "-1", "NaN", "Inf", "x", ""} {
		require.Error(t, new(scaleValue).Set(bad))
	}
}
