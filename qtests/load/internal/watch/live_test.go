package watch

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/benbjohnson/clock"
	"github.com/stretchr/testify/require"
)

// onScreen gives the hall a screen while the test runs.
func onScreen(t *testing.T) *bytes.Buffer {
	t.Helper()
	out := &bytes.Buffer{}
	hall.opened, hall.screen, hall.drawn = true, NewScreen(out), time.Time{}
	t.Cleanup(func() { hall.opened, hall.screen, hall.shown, hall.presses = false, nil, false, 0 })
	return out
}

func lines(out *bytes.Buffer) []string {
	return strings.Split(strings.NewReplacer("\x1b[?7l", "", "\x1b[K", "", "\x1b[?7h", "").Replace(out.String()), "\r")[1:]
}

func TestRunsOfFakeTimeAreShown(t *testing.T) {
	out := onScreen(t)
	now := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	l := Follow("days", 83*time.Hour)
	beat(now)
	require.False(t, l.Tell(2*time.Hour, 12_345))
	beat(now.Add(500 * time.Millisecond)) // too soon for another line
	beat(now.Add(time.Second))
	other := Follow("other", time.Hour)
	l.Tell(4*time.Hour, 20_000)
	beat(now.Add(2 * time.Second))
	l.End()
	other.End()
	beat(now.Add(2500 * time.Millisecond))
	beat(now.Add(3 * time.Second))
	require.Equal(t, []string{
		"fake: days 0s of 83h0m0s: 0 requests",
		"fake: days 2h0m0s of 83h0m0s: 12,345 requests, 2h0m0s a second",
		"fake: other 0s of 1h0m0s: 0 requests; and 1 more",
		"",
	}, lines(out))
	require.Nil(t, hall.signals, "given back")
}

func TestLineOfARun(t *testing.T) {
	now := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	l := &Live{name: "days", length: 83 * time.Hour, began: now}
	l.Tell(4*time.Hour+400*time.Millisecond, 1000)
	require.Equal(t, "fake: days 4h0m0s of 83h0m0s: 1,000 requests", l.line(now, 1))
	require.Equal(t, "fake: days 4h0m0s of 83h0m0s: 1,000 requests, 2h0m0s a second; and 2 more", l.line(now.Add(2*time.Second), 3))
	l.interrupted.Store(true)
	require.Equal(t, "fake: days 4h0m0s of 83h0m0s: 1,000 requests; ending", l.line(now, 1))
}

// Whether there is a terminal, the machine decides; a file, and none, is no terminal.
func TestTerminal(t *testing.T) {
	_, err := terminal()
	require.Equal(t, err == nil, theScreen() != nil)
	file, err := os.Create(filepath.Join(t.TempDir(), "file"))
	require.NoError(t, err)
	require.False(t, isTerminal(file))
	require.NoError(t, file.Close())
	require.False(t, isTerminal(file))
	require.False(t, isTerminal(nil))
}

func TestTheSecondInterruptGivesTheSignalBack(t *testing.T) {
	onScreen(t)
	now := time.Now()
	l := Follow("days", time.Hour)
	beat(now)
	require.NotNil(t, hall.signals)
	require.False(t, l.Tell(0, 0))
	signals <- os.Interrupt
	beat(now)
	require.True(t, l.Tell(0, 0))
	require.NotNil(t, hall.signals)
	signals <- os.Interrupt
	beat(now)
	require.Nil(t, hall.signals)
	beat(now)
	require.Nil(t, hall.signals, "and does not take it again while the run lasts")
	l.End()
	beat(now)
	var nobodys *Live
	require.False(t, nobodys.Tell(0, 0))
	nobodys.End()
}

// TestARunInRealTimeTakesCtrlCFromRunsThatAreOver: no beat has come since the run in fake time ended.
func TestARunInRealTimeTakesCtrlCFromRunsThatAreOver(t *testing.T) {
	onScreen(t)
	over := Follow("over", time.Hour)
	beat(time.Now())
	require.NotNil(t, hall.signals)
	over.End()
	given := hall.signals
	w := &Watch{Run: &fakeRun{}, Clock: clock.New(), StopNotify: func(chan<- os.Signal) {}, Notify: func(chan<- os.Signal) {
		given = hall.signals
	}}
	w.Begin(time.Now())
	w.End()
	require.Nil(t, given, "a press would end a later run")
}
