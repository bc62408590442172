package fleet_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/event"
	"github.com/go-qtests/qtests/qtests/fleet"
	"github.com/go-qtests/qtests/qtests/fleet/rollout"
	"github.com/go-qtests/qtests/qtests/fleet/route"
	"github.com/go-qtests/qtests/qtests/latency"
	"github.com/go-qtests/qtests/qtests/monitor"
)

func budget(share float64) route.Budget { return route.Budget{Share: share} }

// A recorder keeps failures to itself.
type recorder struct {
	*qtests.T
	errors []string
}

func (r *recorder) Errorf(format string, args ...any) {
	r.errors = append(r.errors, fmt.Sprintf(format, args...))
}

func (r *recorder) FailNow() { runtime.Goexit() }

// failure returns the first line of the first failure of body.
func failure(t *testing.T, body func(q fleet.T)) string {
	t.Helper()
	var rec *recorder
	qtests.Run(t, func(q *qtests.T) {
		rec = &recorder{T: q}
		done := make(chan struct{})
		q.Go(func() {
			defer close(done)
			body(rec)
		})
		<-done
	})
	if len(rec.errors) == 0 {
		return ""
	}
	line, _, _ := strings.Cut(rec.errors[0], "\n")
	return line
}

func TestRequirementsFail(t *testing.T) {
	made := func(q fleet.T, code int) *fleet.Fleet { return fleet.NewT(q, fleet.Config{New: status(code)}) }
	for want, body := range map[string]func(q fleet.T){
		"fleet fleet: no request was offered": func(q fleet.T) { made(q, 200).RequireNothingLost(q) },
		"fleet fleet: 1 of 2 requests were not answered": func(q fleet.T) {
			f := made(q, 200)
			_, _, _ = get(f.Client(), "/")
			f.Crash(fleet.Everyone()).Begin()
			f.Scale(0)
			_, _, _ = get(f.Client(), "/")
			f.RequireNothingLost(q)
		},
		"fleet fleet: the goodput is 0 of 1 requests, want at least 0.5": func(q fleet.T) {
			f := made(q, 500)
			_, _, _ = get(f.Client(), "/")
			f.RequireGoodput(q, 0)
			f.RequireGoodput(q, 0.5)
		},
		"fleet fleet: the goodput is 1 of 0 requests, want at least 0.5": func(q fleet.T) { made(q, 200).RequireGoodput(q, 0.5) },
		"fleet fleet: nothing was deployed, want v2 complete":            func(q fleet.T) { made(q, 200).RequireDeployed(q, "v2") },
		"fleet fleet: the last deployment is v2: progressing: 0 of 1 available; want v2 rolled back": func(q fleet.T) {
			f := made(q, 200)
			f.Deploy(fleet.Release{Version: "v2"}, rollout.Update{}).Begin()
			f.RequireRolledBack(q, "v2")
		},
		"fleet fleet: New of fleet-1 panicked: no configuration": func(q fleet.T) {
			fleet.NewT(q, fleet.Config{New: func(*fleet.Instance) http.Handler { panic("no configuration") }})
		},
		"fleet fleet: New of fleet-1 called runtime.Goexit": func(q fleet.T) {
			fleet.NewT(q, fleet.Config{New: func(*fleet.Instance) http.Handler { runtime.Goexit(); return nil }})
		},
	} {
		require.Equal(t, want, failure(t, body))
	}
}

func TestFlapsAreCounted(t *testing.T) {
	got := failure(t, func(q fleet.T) {
		f := fleet.NewT(q, fleet.Config{New: hello(0)})
		for n := range 4 {
			f.Scale(1 + n%2)
			q.Clock().Sleep(time.Minute)
		}
		f.RequireFlaps(q, 2)
		f.RequireFlaps(q, 1)
	})
	require.Contains(t, got, "the replicas flapped 2 times, want at most 1")
}

// A protocol of one's own, on the Listener of the instance: a connection stays, and breaks off with its process.
func TestConnections(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		f := fleet.NewT(q, fleet.Config{Replicas: 2, New: func(i *fleet.Instance) http.Handler {
			l := i.Listener()
			go func() {
				for {
					c, err := l.Accept()
					if err != nil {
						return
					}
					go func() {
						defer func() { _ = c.Close() }()
						lines := bufio.NewScanner(c)
						for lines.Scan() {
							fmt.Fprintf(c, "%s: %s\n", i.Name(), lines.Text())
						}
					}()
				}
			}()
			return nil
		}})
		dial := func() (net.Conn, *bufio.Reader) {
			c, err := f.GRPCDialer()(q.Context(), "fleet:80")
			require.NoError(q, err)
			return c, bufio.NewReader(c)
		}
		ask := func(c net.Conn, r *bufio.Reader) (string, error) {
			_, err := io.WriteString(c, "hello\n")
			if err != nil {
				return "", err
			}
			return r.ReadString('\n')
		}
		one, oneR := dial()
		two, twoR := dial()
		for range 2 {
			line, err := ask(one, oneR)
			require.NoError(q, err)
			require.Equal(q, "fleet-1: hello\n", line)
		}
		line, err := ask(two, twoR)
		require.NoError(q, err)
		require.Equal(q, "fleet-2: hello\n", line)
		f.Crash(fleet.Named("fleet-2")).Begin()
		q.Wait()
		_, err = ask(two, twoR)
		require.Error(q, err)
		require.NoError(q, one.Close())
		_ = two.Close()
		require.Equal(q, fleet.Counts{Offered: 2, Answered: 1, Failed: 1}, f.Stats().Conns)
	})
}

// A process crashes while connections to it are made. They are refused, or they break off with it; none stays.
func TestCrashDuringDials(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		f := fleet.NewT(q, fleet.Config{Life: fleet.Life{NoEndpointLag: true}, New: func(i *fleet.Instance) http.Handler {
			l := i.Listener()
			if i.Starts()%2 == 0 {
				go func() { // the other processes accept nothing
					for {
						if _, err := l.Accept(); err != nil {
							return
						}
					}
				}()
			}
			return nil
		}})
		const dials = 5
		for range 20 {
			made := make(chan net.Conn, dials)
			for range dials {
				q.Go(func() {
					c, err := f.Dialer()(q.Context(), "tcp", "fleet:80")
					require.Equal(q, err == nil, c != nil)
					if err == nil {
						made <- c
					}
				})
			}
			q.Go(f.Crash(fleet.Everyone()).Begin)
			q.Sleep(10 * time.Minute) // the back-off is over
			f.Crash(fleet.Everyone()).Begin()
			q.Sleep(10 * time.Minute)
			close(made)
			for c := range made {
				_ = c.SetReadDeadline(q.Clock().Now().Add(time.Second)) // an error where it is closed
				_, err := c.Read(make([]byte, 1))
				require.Error(q, err)
				require.NotErrorIs(q, err, os.ErrDeadlineExceeded)
				_ = c.Close()
			}
		}
		x := f.Stats().Conns
		require.Equal(q, uint64(20*dials), x.Offered)
		require.Zero(q, x.InFlight+x.Answered, "%v", x)
	})
}

// An ordinary transport over the dialer: a connection is kept alive, so that all requests go to one instance.
func TestTransportOverTheDialer(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		f := fleet.NewT(q, fleet.Config{Replicas: 2, New: hello(0)})
		transport := &http.Transport{DialContext: f.Dialer()}
		defer transport.CloseIdleConnections()
		client := &http.Client{Transport: transport}
		for range 3 {
			body, _, err := get(client, "/")
			require.NoError(q, err)
			require.Equal(q, "fleet-1", body)
		}
		require.Equal(q, uint64(1), f.Stats().Conns.Offered)
	})
}

// Idle connections are closed when an instance is told to stop; what serves on a listener of its own is told as well.
func TestConnectionsEndGracefully(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		f := fleet.NewT(q, fleet.Config{New: hello(0), Life: sound})
		transport := &http.Transport{DialContext: f.Dialer()}
		defer transport.CloseIdleConnections()
		client := &http.Client{Transport: transport}
		_, _, err := get(client, "/")
		require.NoError(q, err)
		f.Scale(0)
		q.Sleep(5 * time.Second)
		require.Empty(q, f.Instances(), "before its grace is over")
		require.Equal(q, fleet.Counts{Offered: 1, Answered: 1}, f.Stats().Conns)
	})
	qtests.Run(t, func(q *qtests.T) {
		var log []string
		f := fleet.NewT(q, fleet.Config{Life: fleet.Life{PreStop: 3 * time.Second}, New: func(i *fleet.Instance) http.Handler {
			note := func(what string) func() { return func() { log = append(log, fmt.Sprint(what, " ", q.Elapsed())) } }
			i.OnTerm(func() { i.Clock().Sleep(4 * time.Second); note("term")() })
			i.OnStop(note("first"))
			i.OnStop(note("second"))
			return nil
		}})
		f.Scale(0)
		q.Sleep(time.Minute)
		require.Equal(q, []string{"term 7s", "second 7s", "first 7s"}, log)
	})
}

func TestLinks(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		db := q.Direct(status(200)(nil)).Transport
		f := fleet.NewT(q, fleet.Config{Replicas: 2, New: func(i *fleet.Instance) http.Handler {
			client := &http.Client{Transport: i.Link("db").RoundTripper(db)}
			dial := i.Link("db").Dial(func(context.Context, string, string) (net.Conn, error) { return nil, nil })
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				resp, err := client.Get("http://db/")
				_, dialErr := dial(r.Context(), "", "")
				require.Equal(q, err == nil, dialErr == nil)
				if err != nil {
					require.ErrorIs(q, err, syscall.ECONNRESET)
					w.WriteHeader(500)
					return
				}
				_ = resp.Body.Close()
			})
		}})
		cut := f.Cut(fleet.Named("fleet-2"), "db")
		cut.Begin()
		for range 4 {
			_, _, _ = get(f.Client(), "/")
		}
		cut.End()
		for range 4 {
			_, _, _ = get(f.Client(), "/")
		}
		require.Equal(q, fleet.Counts{Offered: 8, Answered: 6, Failed: 2}, f.Stats().Requests)
		require.Equal(q, uint64(2), f.Stats().Instances[1].Attempts.Failed)
	})
}

// Every instance is a target of the monitor, with its own labels; the fleet is one, too.
func TestMonitored(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		f := fleet.NewT(q, fleet.Config{Name: "shop", Replicas: 2, Zones: []string{"a", "b"}, Capacity: fleet.Capacity{CPU: latency.Fixed(time.Second)}, New: func(i *fleet.Instance) http.Handler {
			orders := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "orders_total", Help: "Orders."}, []string{"zz"})
			i.Registry().MustRegister(orders)
			return http.HandlerFunc(func(http.ResponseWriter, *http.Request) { orders.WithLabelValues("x").Inc() })
		}})
		mon := monitor.NewT(q, monitor.Config{Gatherers: []prometheus.Gatherer{f.Gatherer()}, Collectors: []prometheus.Collector{f}})
		for range 5 {
			_, _, err := get(f.Client(), "/")
			require.NoError(q, err)
		}
		require.NoError(q, mon.Scrape())
		value := func(expr string) float64 {
			points, err := mon.Query(expr, q.Clock().Now())
			require.NoError(q, err)
			require.Len(q, points, 1, expr)
			return points[0].Value
		}
		require.Equal(q, 3.0, value(`orders_total{instance="shop-1",zone="a",version="v1"}`))
		require.Equal(q, 2.0, value(`orders_total{instance="shop-2"}`))
		require.Equal(q, 5.0, value(`fleet_requests_total{fleet="shop",outcome="answered"}`))
		require.Equal(q, 3.0, value(`fleet_attempts_total{instance="shop-1",outcome="answered"}`))
		require.Equal(q, 3.0, value(`fleet_cpu_seconds_total{instance="shop-1"}`))
		require.Equal(q, 2.0, value(`fleet_ready`))
		f.Crash(fleet.Everyone()).Begin()
		q.Sleep(5 * time.Second)
		require.NoError(q, mon.Scrape())
	})
}

// Whatever happens, in any order, the counts add up: the fleet says so itself when the test ends.
func TestPlansOfFaults(t *testing.T) {
	for seed := range 6 {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			qtests.Run(t, func(q *qtests.T) {
				r := q.Stream("plan").Sub(fmt.Sprint(seed)).Rand()
				life := sound
				life.DiesOnTerm, life.Liveness = seed%2 == 0, fleet.Probe{Path: "/", Period: 2 * time.Second, Delay: 10 * time.Second}
				f := fleet.NewT(q, fleet.Config{
					Name: fmt.Sprint("f", seed), New: hello(300 * time.Millisecond), Replicas: 4, Zones: []string{"a", "b"}, Wire: seed == 5,
					Life: life, Capacity: fleet.Capacity{Concurrency: 3, MaxQueue: 2, CPU: latency.Exponential(20 * time.Millisecond)},
					Policy:   []route.Policy{route.PowerOfTwo, route.PeakEWMA(0), route.LeastRequests, route.Hash(0), route.ZoneAware(route.RoundRobin), route.Random}[seed],
					Outliers: &route.Outliers{}, Health: fleet.Probe{Path: "/", Period: 3 * time.Second},
					Retry: fleet.Retry{Max: 2, PerTry: 2 * time.Second}, Hedge: fleet.Hedge{After: 500 * time.Millisecond},
				})
				events := f.Faults(fleet.Plan{For: 4 * time.Minute, Every: 8 * time.Second, Crashes: 1, Hangs: 1, Slows: 1, Lasting: latency.Uniform(0, 20*time.Second)})
				require.NotEmpty(q, events)
				events = append(events, f.LoseZone("b").At(time.Minute).For(time.Minute), f.Deploy(fleet.Release{Version: "v2"}, rollout.Update{}).At(2*time.Minute),
					f.Restart(fleet.Some(1)).At(30*time.Second), f.Drain(fleet.Some(1)).At(20*time.Second).For(5*time.Second))
				stop, err := event.Schedule(q.Context(), q.Clock(), q.EventLog(), events...)
				require.NoError(q, err)
				client := *f.Client()
				client.Timeout = 5 * time.Second
				for range 2000 {
					q.Go(func() { _, _, _ = get(&client, fmt.Sprint("/", r.IntN(50))) })
					q.Sleep(time.Duration(r.ExpFloat64() * float64(150*time.Millisecond)))
				}
				require.NoError(q, stop())
				q.Sleep(30 * time.Second)
				x := f.Stats()
				require.Equal(q, uint64(2000), x.Requests.Offered)
				require.Zero(q, x.Requests.InFlight, "%v", x)
				require.Greater(q, x.Requests.Goodput(), 0.5, "%v", x)
			})
		})
	}
}

func TestPicture(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		f := fleet.NewT(q, fleet.Config{New: hello(0), Replicas: 2})
		every(q, f.Client(), 100*time.Millisecond, 10*time.Second)
		f.Scale(4)
		q.Sleep(time.Second)
		require.Equal(q, strings.Join([]string{
			"instances ▅▅▅▅▅▅▅▅▅▅██  4",
			"answered  ██████████    10/s",
			"lost                    0/s",
			"          1s a letter, 12s in all", "",
		}, "\n"), f.Picture())
		q.Sleep(24 * time.Hour)
		require.Less(q, len([]rune(strings.Split(f.Picture(), "\n")[0])), 170)
	})
}

// The counts of instances that are gone are kept, and bounded.
func TestManyInstancesComeAndGo(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		f := fleet.NewT(q, fleet.Config{New: hello(0), Replicas: 10, Life: fleet.Life{NoEndpointLag: true}})
		for range 150 {
			for range 10 {
				_, _, err := get(f.Client(), "/")
				require.NoError(q, err)
			}
			f.Restart(fleet.Everyone()).Begin()
			q.Sleep(time.Second)
		}
		x := f.Stats()
		require.Len(q, x.Instances, fleet.MaxPast+10)
		require.Equal(q, uint64(500), x.Older.Answered)
		f.RequireNothingLost(q)
	})
}
