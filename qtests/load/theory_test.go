package load

import (
	"context"
	"errors"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/internal/stress"
	"github.com/go-qtests/qtests/qtests/latency"
	"github.com/go-qtests/qtests/qtests/load/result"
	"github.com/go-qtests/qtests/qtests/load/traffic"
	"github.com/go-qtests/qtests/qtests/tb"
)

// overSeeds runs a scenario with ten seeds and wants the mean of a figure within
// three standard errors of the theory.
func overSeeds(t *testing.T, want float64, s func(q *qtests.T) Scenario, figure func(*result.Result) float64) {
	t.Helper()
	const n = 10
	var sum, squares float64
	for seed := uint64(1); seed <= n; seed++ {
		qtests.Run(t, func(q *qtests.T) {
			scenario := s(q)
			scenario.Clock, scenario.Seed, scenario.Grace = q.Clock(), seed, time.Hour
			res, err := Do(context.Background(), scenario)
			require.NoError(q, err)
			littlesLaw(q, res)
			x := figure(res)
			sum += x
			squares += x * x
		})
	}
	mean := sum / n
	standardError := math.Sqrt((squares/n - mean*mean) / (n - 1))
	t.Logf("theory %.6g, mean %.6g ± %.2g", want, mean, standardError)
	require.InDelta(t, want, mean, 3*standardError)
	require.Less(t, standardError, 0.1*want, "an interval this wide would prove nothing")
}

// littlesLaw holds exactly on every run that ends empty: requests in flight,
// integrated over time, are the sum of the service times.
func littlesLaw(t require.TestingT, r *result.Result) {
	require.Zero(t, r.Interrupted)
	sum := r.Service.Sum() * 1e9
	require.InEpsilon(t, sum, r.MeanInFlight*float64(r.Elapsed), 1e-12)
}

// exponential is a step whose time is drawn from the user's stream, in whole
// microseconds.
func exponential(mean time.Duration) func(context.Context, *User) error {
	l := latency.Exponential(mean)
	return func(ctx context.Context, u *User) error { return u.Sleep(ctx, tb.Round(l.Sample(u.Rand()))) }
}

func wait(r *result.Result) float64 { return (r.Response.Mean() - r.Service.Mean()).Seconds() }

// TestDM1: of deterministic arrivals at rate λ and one exponential server at
// rate μ, the mean wait is σ/(μ(1-σ)) with σ = exp(-μ(1-σ)/λ).
func TestDM1(t *testing.T) {
	stress.Figures(t)
	const lambda, mu = 80.0, 100.0
	sigma := 0.5
	for range 1000 {
		sigma = math.Exp(-mu * (1 - sigma) / lambda)
	}
	overSeeds(t, sigma/(mu*(1-sigma)), func(*qtests.T) Scenario {
		return Scenario{Traffic: traffic.Rate(lambda).For(200 * time.Second), MaxInFlight: 1, Overflow: Queue, Do: exponential(10 * time.Millisecond)}
	}, wait)
}

// erlangB is the share of arrivals that find c servers busy under an offered
// load of a.
func erlangB(c int, a float64) float64 {
	b := 1.0
	for k := 1; k <= c; k++ {
		b = a * b / (float64(k) + a*b)
	}
	return b
}

// TestMMc: the mean wait is C/(cμ-λ), with Erlang's C.
func TestMMc(t *testing.T) {
	stress.Figures(t)
	const c, lambda, mu = 4, 320.0, 100.0
	a := lambda / mu
	b := erlangB(c, a)
	erlangC := b / (1 - a/c*(1-b))
	overSeeds(t, erlangC/(c*mu-lambda), func(*qtests.T) Scenario {
		return Scenario{Traffic: traffic.Rate(lambda).For(60 * time.Second).Poisson(), MaxInFlight: c, Overflow: Queue, Do: exponential(10 * time.Millisecond)}
	}, wait)
}

func TestErlangB(t *testing.T) {
	stress.Figures(t)
	overSeeds(t, erlangB(5, 4), func(*qtests.T) Scenario {
		return Scenario{Traffic: traffic.Rate(400).For(50 * time.Second).Poisson(), MaxInFlight: 5, Do: exponential(10 * time.Millisecond)}
	}, func(r *result.Result) float64 { return float64(r.Dropped) / float64(r.Scheduled) })
}

// TestMeanValueAnalysis: n users who think for Z and share one server with
// service time S have the throughput X(n) = n/(Z + R(n)), R(n) = S(1 + Q(n-1)), Q = X·R.
func TestMeanValueAnalysis(t *testing.T) {
	stress.Figures(t)
	const n = 8
	think, service := 100*time.Millisecond, 20*time.Millisecond
	queue, throughput := 0.0, 0.0
	for k := 1; k <= n; k++ {
		response := service.Seconds() * (1 + queue)
		throughput = float64(k) / (think.Seconds() + response)
		queue = throughput * response
	}
	overSeeds(t, throughput, func(*qtests.T) Scenario {
		server, work := make(chan struct{}, 1), exponential(service)
		return Scenario{
			Traffic: traffic.Users(n).For(200 * time.Second), ThinkTime: latency.Exponential(think),
			Do: func(ctx context.Context, u *User) error {
				server <- struct{}{}
				defer func() { <-server }()
				return work(ctx, u)
			},
		}
	}, (*result.Result).Rate)
}

// TestCoordinatedOmission: a server that stalls for 10 s of 100 s at 100/s keeps
// a tenth of all requests waiting, each for what is left of the stall. A tool that
// waits with its server would see one slow request.
func TestCoordinatedOmission(t *testing.T) {
	for name, s := range map[string]Scenario{
		"all at once": {},
		"one place":   {MaxInFlight: 1, Overflow: Queue},
	} {
		t.Run(name, func(t *testing.T) {
			qtests.Run(t, func(q *qtests.T) {
				start := q.Clock().Now()
				s.Traffic = traffic.Rate(100).For(100 * time.Second)
				s.Do = func(ctx context.Context, u *User) error {
					if at := q.Clock().Since(start); at >= 40*time.Second && at < 50*time.Second {
						return u.Sleep(ctx, 50*time.Second-at)
					}
					return u.Sleep(ctx, time.Millisecond)
				}
				res := Run(q, s)
				require.EqualValues(q, 10_000, res.Finished)
				require.InDelta(q, 9*time.Second, res.Response.Percentile(99), float64(150*time.Millisecond))
				require.InDelta(q, 5*time.Second, res.Response.Percentile(95), float64(600*time.Millisecond))
				require.Less(q, res.Response.Percentile(85), 200*time.Millisecond)
				if s.MaxInFlight == 1 {
					require.Equal(q, time.Millisecond, res.Service.Percentile(99), "the service times alone would hide it")
				}
			})
		})
	}
}

// TestSecondRunIsLikeTheFirst: a scenario is a value, and a run takes nothing out of
// it.
func TestSecondRunIsLikeTheFirst(t *testing.T) {
	var jsons []string
	for range 2 {
		qtests.Run(t, func(q *qtests.T) {
			feed := &Feed{rows: []map[string]string{{"a": "1"}, {"a": "2"}, {"a": "3"}}}
			s := Scenario{
				Traffic: traffic.Rate(30).For(time.Second).Poisson(), Feeds: map[string]*Feed{"f": feed.Shuffled()},
				Do: func(ctx context.Context, u *User) error {
					u.Tag("row", u.Row("f")["a"])
					return u.Sleep(ctx, time.Duration(u.Rand().IntN(1000))*time.Microsecond)
				},
			}
			for range 2 {
				s.Clock = q.Clock()
				res, err := Do(context.Background(), s)
				require.NoError(q, err)
				require.Greater(q, res.Finished, int64(15))
				res.Start = time.Time{}
				j := jsonOf(q, res)
				jsons = append(jsons, string(j))
			}
		})
	}
	for _, j := range jsons {
		require.Equal(t, jsons[0], j)
	}
}

func TestRetryStormIsSeenAndBounded(t *testing.T) {
	run := func(budget float64) (res *result.Result) {
		qtests.Run(t, func(q *qtests.T) {
			res = Run(q, Scenario{
				Traffic: traffic.Rate(100).For(10 * time.Second),
				Retry:   Retry{Max: 3, Backoff: latency.Fixed(10 * time.Millisecond), Budget: budget},
				Do: func(ctx context.Context, u *User) error {
					_ = u.Sleep(ctx, 5*time.Millisecond)
					if u.Intended() > 5*time.Second {
						return errors.New("down")
					}
					return nil
				},
			})
		})
		return res
	}
	storm := run(0)
	require.EqualValues(t, 1000, storm.Finished)
	require.EqualValues(t, 1500, storm.Retries, "three for each of the 500 that fail")
	require.EqualValues(t, 2500, storm.Attempts)
	require.Equal(t, (5+10+5+20+5+40+5)*time.Millisecond, storm.Response.Max(), "the back-off doubles")
	bounded := run(0.1)
	require.LessOrEqual(t, bounded.Retries, int64(10+100))
	require.Greater(t, bounded.RetriesDenied, int64(300))
	require.EqualValues(t, 500, bounded.Errors, "a request is one error, however many attempts it took")
}
