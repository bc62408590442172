package load

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/internal/bubble"
	"github.com/go-qtests/qtests/qtests/internal/ctrlc"
	"github.com/go-qtests/qtests/qtests/load/internal/phase"
	"github.com/go-qtests/qtests/qtests/load/internal/watch"
	"github.com/go-qtests/qtests/qtests/load/result"
	"github.com/go-qtests/qtests/qtests/load/traffic"
)

// watchedRun is a run that is told of Ctrl-C, though its time is fake.
type watchedRun struct {
	*run
	signals chan<- os.Signal // nil while the signal is the process's own
	stops   int
}

func newWatched(q *qtests.T, s Scenario) *watchedRun {
	s.Clock = q.Clock()
	r, err := newRun(context.Background(), s)
	require.NoError(q, err)
	w := &watchedRun{run: r}
	r.watch = &watch.Watch{
		Run: r, Clock: r.clk,
		Notify:     func(c chan<- os.Signal) { w.signals = c },
		StopNotify: func(chan<- os.Signal) { w.signals = nil; w.stops++ },
	}
	return w
}

// run runs to the end, with Ctrl-C at some instants.
func (w *watchedRun) result(q *qtests.T, presses ...time.Duration) *result.Result {
	for _, at := range presses {
		q.Clock().AfterFunc(at, func() { w.signals <- os.Interrupt })
	}
	res, err := w.execute()
	require.NoError(q, err)
	require.Nil(q, w.signals, "given back")
	return res
}

func TestFirstInterruptDrainsAndSecondEndsTheGrace(t *testing.T) {
	const first, second, end = 2250 * time.Millisecond, 5250 * time.Millisecond, 10 * time.Second
	for name, tt := range map[string]struct {
		profile          traffic.Profile
		presses          []time.Duration
		started          int64
		haltedAt, length time.Duration
		halted           string
		stops            int
	}{
		"once":         {traffic.Rate(10).For(time.Hour), []time.Duration{first}, 22, first, first + DefaultGrace, "load: interrupt: ended by the user", 1},
		"twice":        {traffic.Rate(10).For(time.Hour), []time.Duration{first, second}, 22, first, second, "load: interrupt: ended by the user", 2},
		"users":        {traffic.Users(3).For(time.Hour), []time.Duration{first, second}, 3, first, second, "load: interrupt: ended by the user", 2},
		"in the drain": {traffic.Rate(10).For(end), []time.Duration{end + time.Second}, 100, end + time.Second, end + time.Second, "load: interrupt: ended by the user", 2},
		"never":        {traffic.Rate(10).For(end), nil, 100, 0, end + DefaultGrace, "", 1},
	} {
		t.Run(name, func(t *testing.T) {
			qtests.Run(t, func(q *qtests.T) {
				w := newWatched(q, Scenario{Traffic: tt.profile, Do: serve(24 * time.Hour)})
				res := w.result(q, tt.presses...)
				require.Equal(q, tt.halted, res.Halted)
				require.Equal(q, tt.started, res.Started)
				require.Equal(q, tt.started, res.Interrupted)
				require.Equal(q, tt.haltedAt, res.HaltedAt)
				require.Equal(q, tt.length, res.Elapsed)
				require.Equal(q, tt.stops, w.stops)
				if tt.halted != "" {
					require.Contains(q, res.String(), fmt.Sprintf("ended       at %v: load: interrupt", tt.haltedAt))
				}
			})
		})
	}
}

// childEnv names what a process that a test starts is to do.
const childEnv = "LOAD_TEST_CHILD"

// child skips a test that exists to be run in a process of its own.
func child(t *testing.T) {
	t.Helper()
	if os.Getenv(childEnv) == "" {
		t.Skip("runs in a process of its own, started by other tests")
	}
}

// command is one that runs a child, without the settings of this run.
func command(t *testing.T, name string, args ...string) *exec.Cmd {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, os.Args[0], append([]string{"-test.run=^" + name + "$", "-test.v"}, args...)...)
	cmd.Env = append(slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "QTESTS_") }), childEnv+"=1")
	return cmd
}

// interruptAt starts a child, sends it SIGINT after each of the lines it prints,
// in turn, and returns how it ended.
func interruptAt(t *testing.T, name string, lines ...string) syscall.WaitStatus {
	t.Helper()
	ctrlc.Heeded(t)
	cmd := command(t, name)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	text := bufio.NewReader(out)
	for _, want := range lines {
		for line := ""; strings.TrimSpace(line) != want; {
			if line, err = text.ReadString('\n'); err != nil {
				t.Fatalf("ended before %q: %v, %v", want, err, cmd.Wait())
			}
		}
		require.NoError(t, cmd.Process.Signal(os.Interrupt))
	}
	_, _ = io.Copy(io.Discard, text)
	_ = cmd.Wait() // its error says that the signal came
	return cmd.ProcessState.Sys().(syscall.WaitStatus)
}

func TestThirdInterruptEndsTheProcess(t *testing.T) {
	status := interruptAt(t, "TestChildThatIgnoresItsContext", "under way", "draining", "cancelled")
	require.Equal(t, syscall.SIGINT, status.Signal())
}

func TestChildThatIgnoresItsContext(t *testing.T) {
	child(t)
	Run(t, Scenario{Traffic: traffic.Users(1).For(time.Hour), Do: func(ctx context.Context, u *User) error {
		fmt.Println("\nunder way")
		<-(*u.run).(*run).mu.phase.Reached(phase.Draining)
		fmt.Println("draining")
		<-ctx.Done()
		fmt.Println("cancelled")
		time.Sleep(time.Minute)
		return nil
	}})
	t.Log("a request was abandoned, and the process lives")
}

func TestInterruptAfterTheRunIsTheProcesss(t *testing.T) {
	require.Equal(t, syscall.SIGINT, interruptAt(t, "TestChildAfterARun", "over").Signal())
}

func TestChildAfterARun(t *testing.T) {
	child(t)
	Run(t, Scenario{Traffic: traffic.Rate(1e6).For(time.Hour).Budget(5), Do: serve(0)})
	fmt.Println("\nover")
	time.Sleep(time.Minute)
}

// Ctrl-C ends a run in fake time, which would go on for long, and the body; the table of what there is comes all the same, also without -v.
func TestInterruptInFakeTime(t *testing.T) {
	cmd := command(t, "TestChildInFakeTime", "-test.v=false")
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	text := bufio.NewReader(out)
	for line := ""; strings.TrimSpace(line) != "under way"; {
		line, err = text.ReadString('\n')
		require.NoError(t, err)
	}
	require.NoError(t, cmd.Process.Signal(os.Interrupt))
	rest, err := io.ReadAll(text)
	require.NoError(t, err)
	require.Error(t, cmd.Wait())
	for _, want := range []string{"load: ENDED EARLY", ": load: interrupt: ended by the user", "  requests    ", "the body of TestChildInFakeTime ends here, as the user wants", "FAIL"} {
		require.Contains(t, string(rest), want)
	}
	require.NotContains(t, string(rest), "the body goes on")
}

func TestChildInFakeTime(t *testing.T) {
	child(t)
	var begun atomic.Bool
	go func() {
		for !begun.Load() {
			time.Sleep(time.Millisecond)
		}
		for range 10 { // the signal is taken from the first beat on, which another beat at the same time may leave out
			bubble.Beat(time.Now())
			time.Sleep(20 * time.Millisecond)
		}
		fmt.Println("\nunder way")
	}()
	qtests.Run(t, func(q *qtests.T) {
		Run(q, Scenario{Traffic: traffic.Rate(100).For(2 * 365 * 24 * time.Hour), Do: func(context.Context, *User) error {
			begun.Store(true)
			return nil
		}})
		fmt.Println("the body goes on")
	})
}
