package load

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/load/internal/watch"
	"github.com/go-qtests/qtests/qtests/load/traffic"
)

// shown are the lines that were shown one after the other, "" for a cleared one.
func shown(b *bytes.Buffer) []string {
	lines := strings.Split(b.String(), "\r")[1:]
	for i, line := range lines {
		lines[i] = strings.NewReplacer("\x1b[?7l", "", "\x1b[K", "", "\x1b[?7h", "").Replace(line)
	}
	return lines
}

func TestProgressEverySecond(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		var out bytes.Buffer
		w := newWatched(q, Scenario{Traffic: traffic.Rate(10.25).For(3500 * time.Millisecond), Do: serve(time.Millisecond)})
		w.watch.Screen = watch.NewScreen(&out)
		w.result(q)
		require.Equal(q, []string{
			"real: load 1s of 3.5s: 10 requests, 10/s, 0 in flight, p99 1ms, 0% errors",
			"real: load 2s of 3.5s: 20 requests, 10/s, 0 in flight, p99 1ms, 0% errors",
			"real: load 3s of 3.5s: 30 requests, 10/s, 0 in flight, p99 1ms, 0% errors",
			"",
		}, shown(&out))
	})
}

func TestProgressInTheDrainSaysWhatCtrlCDoes(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		var out bytes.Buffer
		w := newWatched(q, Scenario{Traffic: traffic.Rate(10).For(time.Hour), Do: serve(time.Hour)})
		w.watch.Screen = watch.NewScreen(&out)
		w.result(q, 1550*time.Millisecond, 2500*time.Millisecond)
		lines := shown(&out)
		require.Len(q, lines, 3)
		require.Equal(q, "real: load 2s of 1h0m0s: 0 requests, 0/s, 15 in flight, p99 0s, 0% errors; ending, Ctrl-C again to end at once", lines[1])
	})
}

func TestScenariosSideBySideShareTheLine(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		var out bytes.Buffer
		s := watch.NewScreen(&out)
		start := func(name string, d time.Duration) {
			w := newWatched(q, Scenario{Name: name, Traffic: traffic.Rate(100.25).For(d), Do: func(context.Context, *User) error { return errors.New("no") }})
			w.watch.Screen = s
			q.Go(func() { w.result(q) })
		}
		start("short", 1500*time.Millisecond)
		start("long", 3500*time.Millisecond)
		q.Sleep(5 * time.Second)
		require.Equal(q, []string{
			"real: short 100, 100/s, 100% errors | long 100, 100/s, 100% errors",
			"",
			"real: long 2s of 3.5s: 200 requests, 100/s, 0 in flight, p99 0s, 100% errors",
			"real: long 3s of 3.5s: 300 requests, 100/s, 0 in flight, p99 0s, 100% errors",
			"",
		}, shown(&out))
	})
}

func TestNoScreenWhereNothingWasShown(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		var out bytes.Buffer
		w := newWatched(q, Scenario{Traffic: traffic.Rate(10).For(900 * time.Millisecond), Do: serve(0)})
		w.watch.Screen = watch.NewScreen(&out)
		w.result(q)
		require.Empty(q, out.String())
	})
}
