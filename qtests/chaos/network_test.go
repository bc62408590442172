package chaos_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/chaos"
	"github.com/go-qtests/qtests/qtests/event"
	"github.com/go-qtests/qtests/qtests/latency"
	"github.com/go-qtests/qtests/qtests/wire"
)

// echo is a component that sends every line back, and counts its lives' lines in memory.
func echo(l *chaos.Life) {
	lis, err := l.Listen()
	if err != nil {
		return
	}
	for {
		c, err := lis.Accept()
		if err != nil {
			return
		}
		go func() {
			defer c.Close() //nolint:errcheck // of a test
			lines := bufio.NewReader(c)
			for {
				line, err := lines.ReadString('\n')
				if err != nil {
					return
				}
				if _, err := io.WriteString(c, line); err != nil {
					return
				}
			}
		}()
	}
}

func dial(q *qtests.T, n *chaos.Network, to string) net.Conn {
	q.Helper()
	c, err := n.Test().Dial(q.Context(), "tcp", to)
	require.NoError(q, err)
	q.Cleanup(func() { _ = c.Close() })
	return c
}

func say(c net.Conn, text string) (string, error) {
	if _, err := io.WriteString(c, text+"\n"); err != nil {
		return "", err
	}
	line, err := bufio.NewReader(c).ReadString('\n')
	return line, err
}

// at runs an event from an instant on.
func at(q *qtests.T, e event.Event) {
	q.Helper()
	stop, err := event.Schedule(q.Context(), q.Clock(), q.EventLog(), e)
	require.NoError(q, err)
	q.Cleanup(func() { require.NoError(q, stop()) })
}

func TestPartitionDelays(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		n := chaos.NewNetwork(q)
		n.Component("a", echo)
		n.Component("b", echo)
		q.Wait()
		a, b := dial(q, n, "a"), dial(q, n, "b:80")
		at(q, n.Partition("a").At(time.Second).For(9*time.Second))
		q.Sleep(2 * time.Second)
		_, err := say(b, "hello")
		require.NoError(q, err)
		require.Equal(q, 2*time.Second, q.Elapsed(), "the others reach each other")
		line, err := say(a, "hello")
		require.NoError(q, err)
		require.Equal(q, "hello\n", line)
		require.Equal(q, 10*time.Second, q.Elapsed(), "nothing is lost")
		line, err = say(a, "again")
		require.NoError(q, err)
		require.Equal(q, "again\n", line)
	})
}

func TestPartitionHoldsDials(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		n := chaos.NewNetwork(q)
		n.Component("a", echo)
		q.Wait()
		at(q, n.Cut("a", chaos.Test).For(10*time.Second))
		q.Sleep(time.Second)
		ctx, cancel := context.WithTimeout(q.Context(), time.Second)
		defer cancel()
		_, err := n.Test().Dial(ctx, "tcp", "a")
		require.ErrorIs(q, err, context.DeadlineExceeded)
		require.Equal(q, 2*time.Second, q.Elapsed().Round(time.Microsecond))
		dial(q, n, "a")
		require.Equal(q, 10*time.Second, q.Elapsed())
	})
}

// A cut has one direction: the request arrives, and the answer does not, nor does the end.
func TestCutHasOneDirection(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		n := chaos.NewNetwork(q)
		got := ""
		server := n.Component("a", func(l *chaos.Life) {
			lis, _ := l.Listen()
			c, err := lis.Accept()
			if err != nil {
				return
			}
			got, _ = bufio.NewReader(c).ReadString('\n')
			_, _ = io.WriteString(c, "one")
			_, _ = io.WriteString(c, "two")
		})
		q.Wait()
		c := dial(q, n, "a")
		at(q, n.Cut("a", chaos.Test).For(10*time.Second))
		at(q, server.Crash().At(5*time.Second))
		q.Sleep(time.Second)
		_, err := io.WriteString(c, "hello\n")
		require.NoError(q, err)
		q.Sleep(time.Second)
		require.Equal(q, "hello\n", got)
		all, err := io.ReadAll(c)
		require.Equal(q, "onetwo", string(all), "in order")
		require.ErrorIs(q, err, syscall.ECONNRESET, "the crash arrives behind it")
		require.Equal(q, 10*time.Second, q.Elapsed())
	})
}

func TestReset(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		n := chaos.NewNetwork(q)
		n.Component("a", echo)
		n.Component("b", echo)
		q.Wait()
		a, b := dial(q, n, "a"), dial(q, n, "b")
		at(q, n.Reset(chaos.Test, "a").At(time.Second))
		_, err := a.Read(make([]byte, 1))
		require.Error(q, err)
		require.Equal(q, time.Second, q.Elapsed())
		_, err = say(b, "hello")
		require.NoError(q, err)
		_, err = say(dial(q, n, "a"), "hello")
		require.NoError(q, err)
	})
}

// A crash breaks what is under way, refuses what comes, and the next life has its own memory.
func TestCrash(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		n := chaos.NewNetwork(q)
		disk := 0
		var ghost *chaos.Life
		ended := false
		store := n.Component("store", func(l *chaos.Life) {
			memory := 0
			if l.Number() == 1 {
				ghost = l
			}
			require.NoError(q, l.Serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/hang" {
					<-r.Context().Done()
					ended = true
					require.ErrorIs(q, l.Do(func() error { disk += 100; return nil }), chaos.ErrCrashed)
					return
				}
				memory++
				require.NoError(q, l.Do(func() error { disk++; return nil }))
				_, _ = w.Write([]byte{byte('0' + memory)})
			})))
		})
		q.Wait()
		get := func(path string) (string, error) {
			res, err := n.Test().Client().Get("http://store" + path)
			if err != nil {
				return "", err
			}
			defer res.Body.Close() //nolint:errcheck // it was read
			body, err := io.ReadAll(res.Body)
			return string(body), err
		}
		for _, want := range []string{"1", "2"} {
			body, err := get("/")
			require.NoError(q, err)
			require.Equal(q, want, body)
		}
		at(q, store.Crash().At(time.Second).For(2*time.Second))
		_, err := get("/hang")
		require.Error(q, err)
		require.Equal(q, time.Second, q.Elapsed())
		q.Wait()
		require.True(q, ended)
		require.False(q, store.Up())
		_, err = get("/")
		require.ErrorIs(q, err, syscall.ECONNREFUSED)
		_, err = ghost.Dial(q.Context(), "tcp", "store")
		require.ErrorIs(q, err, chaos.ErrCrashed)
		_, err = ghost.Listen()
		require.ErrorIs(q, err, chaos.ErrCrashed)
		require.Error(q, ghost.Context().Err())
		q.Sleep(2 * time.Second)
		body, err := get("/")
		require.NoError(q, err)
		require.Equal(q, []any{"1", 3, 2}, []any{body, disk, store.Lives()})
	})
}

// A crash before an operation comes between two steps that take no time: each of them is met under
// some seed.
func TestCrashBeforeAnOperation(t *testing.T) {
	seen := map[[2]int]bool{}
	for name := range 20 {
		qtests.Run(t, func(q *qtests.T) {
			n := chaos.NewNetwork(q)
			var disk [2]int
			steps := make(chan int)
			c := n.Component("c", func(l *chaos.Life) {
				for {
					select {
					case i := <-steps:
						_ = l.Do(func() error { disk[0] = i; return nil })
						_ = l.Do(func() error { disk[1] = i; return nil })
					case <-l.Context().Done():
						return
					}
				}
			})
			p := chaos.NewT(q, chaos.Config{Name: strconv.Itoa(name), Within: time.Second, Faults: []chaos.Fault{
				{Event: c.Crash(), Chance: 1, Shortest: time.Minute, Longest: time.Minute, Before: c, Operations: 4},
			}})
			q.Sleep(time.Second)
			for i := 1; c.Up(); i++ {
				steps <- i
				q.Wait()
			}
			seen[disk] = true
			require.Equal(q, time.Second, q.Elapsed(), "no time has passed")
			p.Stop()
			q.Wait()
			require.Equal(q, 2, c.Lives(), "the end of the fault is a new life")
		})
	}
	require.Equal(t, map[[2]int]bool{{0, 0}: true, {1, 0}: true, {1, 1}: true, {2, 1}: true}, seen)
}

func TestNetworkUsage(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		n := chaos.NewNetwork(q)
		n.Component("a", echo)
		q.Wait()
		_, err := n.Test().Dial(q.Context(), "tcp", "nobody")
		var dns *net.DNSError
		require.ErrorAs(q, err, &dns)
		_, err = n.Test().Dial(q.Context(), "tcp", chaos.Test)
		require.ErrorIs(q, err, syscall.ECONNREFUSED)
	})
}

// TestLink: a plan draws faults of the link between two components, and a crash ends its connections.
func TestLink(t *testing.T) {
	outcome := func() (log string) {
		qtests.Run(t, func(q *qtests.T) {
			n := chaos.NewNetwork(q)
			store := n.Component("store", echo)
			q.Wait()
			link := n.Link(chaos.Test, "store")
			require.Same(q, link, n.Link(chaos.Test, "store"))
			link.Latency(wire.Both, latency.Fixed(20*time.Millisecond)).Begin()
			plan := chaos.NewT(q, chaos.Config{Within: time.Minute, Faults: []chaos.Fault{
				{Event: link.Stall(wire.Down), Most: 5, Chance: 1, Longest: 3 * time.Second},
				{Event: link.Reset(), Most: 3, Chance: 1},
				{Event: store.Crash(), Chance: 1, Longest: time.Second},
			}})
			for range 60 {
				log += q.Elapsed().String()
				if c, err := n.Test().Dial(q.Context(), "tcp", "store"); err != nil {
					require.ErrorIs(q, err, syscall.ECONNREFUSED)
					log += " refused\n"
				} else {
					q.Sleep(time.Second)
					text, err := say(c, "hello")
					log += fmt.Sprintf(" %q %v\n", text, err)
					_ = c.Close()
				}
				q.Sleep(100 * time.Millisecond)
			}
			plan.Stop()
			log += plan.String()
		})
		return log
	}
	first := outcome()
	require.Contains(t, first, `"hello\n"`)
	require.Contains(t, first, "connection reset by peer")
	require.Contains(t, first, "link test to store: stalls down")
	require.Equal(t, first, outcome())
}
