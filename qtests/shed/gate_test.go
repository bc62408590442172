package shed_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/internal/stress"
	"github.com/go-qtests/qtests/qtests/shed"
)

// gate returns a gate on the clock of q.
func gate(q *qtests.T, cfg shed.Config) *shed.Gate {
	cfg.Clock = q.Clock()
	g, err := shed.New(cfg)
	require.NoError(q, err)
	return g
}

func balanced(t require.TestingT, g *shed.Gate) {
	x := g.Stats()
	check := func(name string, c shed.Counts) {
		sum := uint64(0)
		for _, n := range c.Why {
			sum += n
		}
		require.Equal(t, c.Refused, sum, name)
		require.Equal(t, c.Offered, c.Admitted+c.Refused+c.GivenUp+uint64(c.Waiting), name)
	}
	check("all", x.Counts)
	for name, c := range x.Classes {
		check(name, c)
	}
}

func TestWithoutQueue(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		g := gate(q, shed.Config{Name: "shop", Limit: shed.Fixed(2)})
		one, err := g.Acquire(q.Context(), "")
		require.NoError(q, err)
		_, err = g.Acquire(q.Context(), "")
		require.NoError(q, err)
		_, err = g.Acquire(q.Context(), "")
		require.ErrorIs(q, err, shed.ErrRefused)
		require.EqualError(q, err, "shed: shop refused: over the limit")
		one.Done(false)
		_, err = g.Acquire(q.Context(), "")
		require.NoError(q, err)
		require.PanicsWithValue(q, "shed: Permit: ended twice", func() { one.Cancel() })
		balanced(q, g)
	})
}

// First come, first served; who gives up, and whose time is over, leaves its place.
func TestQueue(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		g := gate(q, shed.Config{Limit: shed.Fixed(1), Queue: shed.Queue{Max: 4, Timeout: 10 * time.Second}})
		var log []string
		use := func(name string, ctx context.Context, d time.Duration) {
			q.Go(func() {
				permit, err := g.Acquire(ctx, "")
				log = append(log, fmt.Sprintf("%s %v %v", name, q.Elapsed().Round(time.Second), err))
				if err == nil {
					q.Sleep(d)
					permit.Done(false)
				}
			})
			q.Sleep(time.Millisecond)
		}
		impatient, cancel := q.Clock().WithTimeout(q.Context(), 2*time.Second)
		defer cancel()
		use("a", q.Context(), 5*time.Second)
		use("b", q.Context(), 8*time.Second)
		use("c", impatient, 0)
		use("d", q.Context(), 0)
		use("e", q.Context(), 0)
		use("f", q.Context(), 0)
		q.Sleep(time.Minute)
		require.Equal(q, []string{
			"a 0s <nil>", "f 0s shed: gate refused: queue full", "c 2s context deadline exceeded", "b 5s <nil>",
			"d 10s shed: gate refused: waited too long", "e 10s shed: gate refused: waited too long",
		}, log)
		balanced(q, g)
		require.Zero(q, g.Stats().InFlight)
	})
}

// Of two classes the higher one goes first, and takes the place of the lower one in a full queue; two of one priority share by weight.
func TestClasses(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		g := gate(q, shed.Config{Limit: shed.Fixed(1), Queue: shed.Queue{Max: 40}, Classes: []shed.Class{
			{Name: "pay", Priority: 2}, {Name: "browse", Priority: 1, Weight: 3}, {Name: "crawl", Priority: 1},
		}})
		permit, err := g.Acquire(q.Context(), "pay")
		require.NoError(q, err)
		order := ""
		var displaced []error
		offer := func(class string, n int) {
			for range n {
				q.Go(func() {
					p, err := g.Acquire(q.Context(), class)
					if err != nil {
						displaced = append(displaced, err)
						return
					}
					order += class[:1]
					q.Sleep(time.Second)
					p.Done(false)
				})
			}
			q.Sleep(time.Millisecond)
		}
		offer("crawl", 20)
		offer("browse", 20)
		offer("pay", 4)
		require.Len(q, displaced, 4)
		require.EqualError(q, displaced[0], "shed: gate refused browse: displaced")
		offer("unknown", 1)
		require.Len(q, displaced, 5, "it counts as crawl, and finds the queue full")
		permit.Done(false)
		q.Sleep(time.Minute)
		require.Equal(q, "pppp", order[:4])
		require.Equal(q, 15, strings.Count(order[4:24], "b"), order)
		require.Equal(q, 5, strings.Count(order[4:24], "c"), order)
		balanced(q, g)
	})
}

// A handler that panics gives its permit back, and so does one that calls Goexit.
func TestHandlerGivesPermitsBack(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		g := gate(q, shed.Config{Limit: shed.Fixed(1)})
		bad := g.Handler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
		require.Panics(q, func() { bad.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil)) })
		require.Zero(q, g.Stats().InFlight)
		require.Panics(q, func() { _ = g.Do(q.Context(), "", func(context.Context) error { panic("oops") }) })
		require.Zero(q, g.Stats().InFlight)
		rt := g.RoundTripper(q.Direct(nil).Transport)
		require.Panics(q, func() { _, _ = rt.RoundTrip(nil) })
	})
}

func TestHandlerAndRoundTripper(t *testing.T) {
	for limit, want := range map[int][]string{
		1: {"over the limit", "over the limit", "200 OK"},
		2: {"503 Service Unavailable", "503 Service Unavailable", "200 OK"},
	} {
		qtests.Run(t, func(q *qtests.T) {
			server := gate(q, shed.Config{Limit: shed.Fixed(1)})
			client := q.Direct(server.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				q.Sleep(time.Second)
				_, _ = io.WriteString(w, "ok")
				w.(http.Flusher).Flush()
			})))
			own := gate(q, shed.Config{Limit: shed.Fixed(limit)})
			client.Transport = own.RoundTripper(client.Transport)
			var got []string
			for range 3 {
				q.Go(func() {
					resp, err := client.Get("http://shop/")
					if err != nil {
						var refused *shed.RefusedError
						require.True(q, errors.As(err, &refused))
						got = append(got, string(refused.Reason))
						return
					}
					got = append(got, resp.Status)
					require.Equal(q, resp.StatusCode == 503, resp.Header.Get("Retry-After") == "1")
					_ = resp.Body.Close()
				})
			}
			q.Sleep(5 * time.Second)
			require.Equal(q, want, got)
			balanced(q, server)
			balanced(q, own)
		})
	}
}

// An overloaded service behind a gate that learns stays useful: goodput does not collapse behind the knee.
func TestGoodputStaysBehindTheKnee(t *testing.T) {
	curve := func(limit func() shed.Limit) (c shed.Curve) {
		for _, rate := range []float64{50, 90, 200, 400} {
			qtests.Run(t, func(q *qtests.T) {
				var processor time.Time
				good := 0
				handler := http.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					now := q.Clock().Now() // one processor, 10 ms for each
					if processor.Before(now) {
						processor = now
					}
					processor = processor.Add(10 * time.Millisecond)
					q.Clock().Sleep(processor.Sub(now))
				}))
				if limit != nil {
					handler = gate(q, shed.Config{Limit: limit()}).Handler(handler)
				}
				client := q.Direct(handler)
				for range int(10 * rate) {
					q.Go(func() {
						began := q.Elapsed()
						resp, err := client.Get("http://shop/")
						if err == nil {
							_ = resp.Body.Close()
							if resp.StatusCode == 200 && q.Elapsed()-began < 500*time.Millisecond {
								good++
							}
						}
					})
					q.Sleep(time.Duration(float64(time.Second) / rate))
				}
				q.Sleep(2 * time.Minute)
				c = append(c, shed.Point{Offered: rate, Goodput: float64(good) / 10})
			})
		}
		return c
	}
	bare := curve(nil)
	require.Less(t, bare.Kept(), 0.2, "it collapses:\n%v", bare)
	for name, limit := range map[string]func() shed.Limit{
		"fixed":    func() shed.Limit { return shed.Fixed(10) },
		"vegas":    func() shed.Limit { return &shed.Vegas{} },
		"gradient": func() shed.Limit { return &shed.Gradient{} },
	} {
		c := curve(limit)
		require.Greater(t, c.Kept(), 0.9, "%s:\n%v", name, c)
		knee, ok := c.Knee(0.95)
		require.True(t, ok)
		require.Equal(t, 90.0, knee, "%s:\n%v", name, c)
	}
}

func TestCollector(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		g := gate(q, shed.Config{Name: "shop", Limit: shed.Fixed(1), Classes: []shed.Class{{Name: "pay"}}})
		_, err := g.Acquire(q.Context(), "pay")
		require.NoError(q, err)
		_, err = g.Acquire(q.Context(), "pay")
		require.Error(q, err)
		reg := prometheus.NewPedanticRegistry()
		require.NoError(q, reg.Register(g))
		families, err := reg.Gather()
		require.NoError(q, err)
		text := fmt.Sprint(families)
		for _, want := range []string{"shed_limit", "shed_in_flight", "shed_waiting", `value:"over the limit"`, `value:"admitted"`} {
			require.Contains(q, text, want)
		}
	})
}

func TestBadConfigs(t *testing.T) {
	one := shed.Fixed(1)
	for want, cfg := range map[string]shed.Config{
		"shed: Config.Limit: nil is no limit":                                         {},
		"shed: Config.Limit: shed: Fixed: -1 is below 1":                              {Limit: shed.Fixed(-1)},
		"shed: Config.Queue.Max: -1 is negative":                                      {Limit: one, Queue: shed.Queue{Max: -1}},
		"shed: Config.Queue.Max: 0 gives no place, and something else is set":         {Limit: one, Queue: shed.Queue{CoDel: true}},
		"shed: Config.Queue.CoDel: true contradicts AdaptiveLIFO":                     {Limit: one, Queue: shed.Queue{Max: 1, CoDel: true, AdaptiveLIFO: true}},
		"shed: Config.Queue.Target: 1s is set, but neither CoDel nor AdaptiveLIFO is": {Limit: one, Queue: shed.Queue{Max: 1, Target: time.Second}},
		"shed: Config.Classes[1].Name: a is there twice":                              {Limit: one, Classes: []shed.Class{{Name: "a"}, {Name: "a"}}},
		"shed: Config.Classify: func is set, but Classes is not":                      {Limit: one, Classify: func(*http.Request) string { return "" }},
	} {
		_, err := shed.New(cfg)
		require.EqualError(t, err, want)
	}
	_, err := shed.NewThrottle(shed.ThrottleConfig{K: 0.5})
	require.EqualError(t, err, "shed: ThrottleConfig.K: 0.5 is below 1")
}

// Whatever is asked in whatever order, nobody is lost: the counts add up and in the end all permits are back.
func TestGateNeverLosesAnyone(t *testing.T) {
	for seed := range uint64(10 * stress.Factor(t)) {
		r := rand.New(rand.NewPCG(seed, 3))
		qtests.Run(t, func(q *qtests.T) {
			cfg := shed.Config{Queue: shed.Queue{Max: r.IntN(6)}, Classes: []shed.Class{{Name: "a", Priority: r.IntN(2)}, {Name: "b", Weight: 2}}}
			if cfg.Queue.Max > 0 {
				cfg.Queue.CoDel, cfg.Queue.Timeout = r.IntN(2) == 0, time.Duration(r.IntN(300))*time.Millisecond
				cfg.Queue.AdaptiveLIFO = !cfg.Queue.CoDel && r.IntN(2) == 0
			}
			cfg.Limit = []shed.Limit{shed.Fixed(1 + r.IntN(3)), &shed.AIMD{Initial: 2, Min: 1, Max: 5}, &shed.Vegas{Initial: 2}, shed.Windowed(&shed.Gradient{Initial: 2, Min: 1})}[r.IntN(4)]
			g := gate(q, cfg)
			for range 300 {
				class, hold, patience := []string{"a", "b"}[r.IntN(2)], time.Duration(r.IntN(80))*time.Millisecond, time.Duration(1+r.IntN(400))*time.Millisecond
				end := r.IntN(3)
				q.Go(func() {
					ctx, cancel := q.Clock().WithTimeout(q.Context(), patience)
					defer cancel()
					p, err := g.Acquire(ctx, class)
					if err != nil {
						return
					}
					q.Sleep(hold)
					if end == 0 {
						p.Cancel()
					} else {
						p.Done(end == 1)
					}
				})
				q.Sleep(time.Duration(r.IntN(20)) * time.Millisecond)
				balanced(q, g)
			}
			q.Sleep(10 * time.Second)
			balanced(q, g)
			x := g.Stats()
			require.Equal(q, x.Admitted, x.Served+x.Dropped+x.Cancelled, "seed %d", seed)
			require.Zero(q, x.InFlight, "seed %d", seed)
			require.Zero(q, x.Waiting, "seed %d", seed)
			require.Equal(q, uint64(300), x.Offered)
		})
	}
}
