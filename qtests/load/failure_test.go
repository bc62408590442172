package load

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/internal/stress"
	"github.com/go-qtests/qtests/qtests/latency"
	"github.com/go-qtests/qtests/qtests/load/accesslog"
	"github.com/go-qtests/qtests/qtests/load/result"
	"github.com/go-qtests/qtests/qtests/load/traffic"
	"github.com/go-qtests/qtests/qtests/tb"
)

// resultOf runs a scenario on the clock of a bubble.
func resultOf(q *qtests.T, s Scenario) *result.Result {
	q.Helper()
	s.Clock = q.Clock()
	res, err := Do(context.Background(), s)
	require.NoError(q, err)
	return res
}

// A brokenError is an error whose methods cannot be called on nil.
type brokenError struct{ text string }

func (b *brokenError) Error() string { return b.text }

// What the user's code does when it is asked about an error loses no place, and
// does not pass unseen.
func TestErrorsThatCannotBeTold(t *testing.T) {
	var typedNil *brokenError
	for _, test := range []struct {
		name    string
		err     error
		kind    func(error) string
		want    string
		panics  int64
		mention string
	}{
		{"an error without a value", typedNil, nil, "ErrorKind panicked", 5, "Scenario.ErrorKind, or a method of the step's error"},
		{"ErrorKind panics", errors.New("x"), func(error) string { panic("kind") }, "ErrorKind panicked", 5, "panic: kind"},
		{"ErrorKind exits", errors.New("x"), func(error) string { runtime.Goexit(); return "" }, "ErrorKind exited", 0, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			qtests.Run(t, func(q *qtests.T) {
				res := resultOf(q, Scenario{
					Traffic: traffic.Rate(1).For(5 * time.Second), MaxInFlight: 1, Overflow: Queue, ErrorKind: test.kind,
					Do: func(context.Context, *User) error { q.Clock().Sleep(1100 * time.Millisecond); return test.err },
				})
				require.EqualValues(q, 5, res.Finished+res.Dropped)
				require.Len(q, res.ErrorKinds, 1)
				require.Equal(q, test.want, res.ErrorKinds[0].Kind)
				require.Equal(q, min(test.panics, res.Finished), res.Panics)
				require.Zero(q, res.Abandoned)
				require.Contains(q, res.FirstPanic, test.mention)
			})
		})
	}
}

// A panic in the way out of a cancelled step is a panic.
func TestPanicAfterCancellation(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		res := resultOf(q, Scenario{
			Traffic: traffic.Rate(1).For(3 * time.Second), NoGrace: true,
			Do: func(ctx context.Context, u *User) error {
				<-ctx.Done()
				if u.ID() == 1 {
					runtime.Goexit()
				}
				panic("on the way out")
			},
		})
		require.EqualValues(q, 3, res.Interrupted)
		require.EqualValues(q, 2, res.Panics)
		require.EqualValues(q, 1, res.Goexits)
		require.Empty(q, res.ErrorKinds)
		require.Contains(q, res.FirstPanic, "panic: on the way out, in the step")
	})
}

// Deadlines of the network are timeouts to all that count them.
func TestTimeoutsOfTheNetwork(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		res := resultOf(q, Scenario{
			Traffic: traffic.Rate(1).For(4 * time.Second), Timeout: time.Second,
			Do: func(ctx context.Context, u *User) error {
				if u.ID() == 1 {
					return u.Sleep(ctx, time.Minute)
				}
				return fmt.Errorf("read: %w", &net.OpError{Op: "read", Err: os.ErrDeadlineExceeded})
			},
		})
		require.EqualValues(q, 4, res.Timeouts)
		require.Equal(q, []result.ErrorCount{{Kind: KindTimeout, Count: 4, First: 2 * time.Second, Step: "load", Text: "context deadline exceeded"}}, blankText(res.ErrorKinds, "context deadline exceeded"))
	})
}

// blankText replaces the text of the first error: any of them may have come first.
func blankText(kinds []result.ErrorCount, text string) []result.ErrorCount {
	for i := range kinds {
		kinds[i].Text = text
	}
	return kinds
}

func TestRouteNamesSteps(t *testing.T) {
	var entries []accesslog.Entry
	for i := range 12 {
		entries = append(entries, accesslog.Entry{At: time.Unix(int64(i), 0), Path: fmt.Sprintf("/%d", i%4)})
	}
	qtests.Run(t, func(q *qtests.T) {
		res := resultOf(q, Scenario{
			Traffic: traffic.Replay(entries), Do: serve(time.Millisecond),
			Route: func(e accesslog.Entry) string {
				switch e.Path {
				case "/0":
					panic("route")
				case "/1":
					runtime.Goexit()
				}
				q.Clock().Sleep(time.Duration(e.Path[1]-'0') * 700 * time.Millisecond) // overtaken by later ones
				return "page " + e.Path
			},
		})
		got := map[string]int64{}
		for _, s := range res.Steps {
			got[s.Name] = s.Finished
		}
		require.Equal(q, map[string]int64{"Route panicked": 3, "Route exited": 3, "page /2": 3, "page /3": 3}, got)
		require.EqualValues(q, 3, res.Panics)
		require.True(q, strings.HasPrefix(res.FirstPanic, "panic: route, in Scenario.Route\n"), res.FirstPanic)
		require.EqualValues(q, 12, res.Finished)
	})
}

// Of a request whose back-off is cut short no retry is counted.
func TestRetriesThatWereNotMade(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		res := resultOf(q, Scenario{
			Traffic: traffic.Rate(1).For(3 * time.Second), NoGrace: true,
			Retry: Retry{Max: 3, Backoff: latency.Fixed(10 * time.Second)},
			Do:    func(context.Context, *User) error { return errors.New("x") },
		})
		require.Zero(q, res.Retries)
		require.EqualValues(q, 3, res.Attempts)
		for _, p := range res.Timeline {
			require.Zero(q, p.Retries)
		}
	})
}

// A request that ends its goroutine while it wakes another hands over its place
// as any other does: when all that it woke has come to rest.
func TestGoexitHandsOverInTurn(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	outcomes := map[string]int{}
	for i := range stress.Rounds(t, 60) {
		runtime.GOMAXPROCS([]int{1, 2, 8}[i%3])
		qtests.Run(t, func(q *qtests.T) {
			var mu sync.Mutex
			var order []string
			note := func(s string) {
				mu.Lock()
				defer mu.Unlock()
				order = append(order, s)
			}
			woken := make(chan struct{})
			resultOf(q, Scenario{
				Traffic: traffic.Rate(1).For(time.Minute).Budget(4), MaxInFlight: 2, Overflow: Queue,
				Do: func(_ context.Context, u *User) error {
					switch u.Request() {
					case 1:
						<-woken
						note("woken")
						q.Clock().Sleep(time.Second) // or two would end in one event
					case 2:
						q.Clock().Sleep(5 * time.Second)
						close(woken)
						runtime.Goexit()
					default:
						note(fmt.Sprint(u.Request()))
					}
					return nil
				},
			})
			outcomes[strings.Join(order, " ")]++
		})
	}
	require.Equal(t, map[string]int{"woken 3 4": stress.Rounds(t, 60)}, outcomes)
}

// statusError is what a library makes of any error, a gRPC status for example: it
// unwraps to nothing.
type statusError struct{ text string }

func (e statusError) Error() string { return e.text }

// A timeout is one whatever error the library makes of it, and whether its own timer
// for the deadline of the context fires first or the scenario's does.
func TestTimeoutsWhateverTheError(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		scenario := func(kind func(error) string) Scenario {
			return Scenario{
				Traffic: traffic.Rate(10).For(10 * time.Second), Timeout: 300 * time.Millisecond, ErrorKind: kind,
				Do: func(ctx context.Context, u *User) error {
					if u.ID()%10 == 0 {
						q.Clock().Sleep(100 * time.Millisecond)
						return statusError{"no such item"}
					}
					deadline, _ := ctx.Deadline()
					own, cancel := context.WithDeadline(context.Background(), deadline) // of the other end
					defer cancel()
					select {
					case <-own.Done():
						return statusError{"the server noticed"}
					case <-ctx.Done():
						return statusError{"the client noticed"}
					}
				},
				Thresholds: []string{"timeouts==0"},
			}
		}
		res := resultOf(q, scenario(nil))
		require.EqualValues(q, 90, res.Timeouts)
		require.EqualValues(q, 100, res.Errors)
		require.False(q, res.Thresholds[0].Pass)
		require.Len(q, res.ErrorKinds, 2)
		require.Equal(q, result.ErrorCount{
			Kind: KindTimeout, Count: 90, First: res.ErrorKinds[0].First, Step: "load", Text: "the timeout of 300ms has passed",
		}, res.ErrorKinds[0])
		require.Equal(q, "no such item", res.ErrorKinds[1].Kind)
		require.Equal(q, tb.Round(res.Elapsed), res.Elapsed)

		res = resultOf(q, scenario(func(err error) string { return "mine: " + err.Error() }))
		require.EqualValues(q, 90, res.Timeouts)
		for _, kind := range res.ErrorKinds {
			require.Contains(q, kind.Kind, "mine: ")
		}
	})
}
