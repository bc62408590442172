package wire_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/latency"
	"github.com/go-qtests/qtests/qtests/wire"
)

// wrong are the uses that fail a test, by what they say.
var wrong = []struct {
	says string
	use  func(l *wire.Link, h *wire.Hosts)
}{
	{"Slice: vary 5 is not from 0 to 4, or pause 0s is negative", func(l *wire.Link, _ *wire.Hosts) { l.Slice(wire.Up, 5, 5, 0) }},
	{"Slice: vary -1 is not from 0 to 4", func(l *wire.Link, _ *wire.Hosts) { l.Slice(wire.Up, 5, -1, 0) }},
	{"or pause -1ns is negative", func(l *wire.Link, _ *wire.Hosts) { l.Slice(wire.Up, 5, 4, -1) }},
	{"Slice: size: 0 is less than 1", func(l *wire.Link, _ *wire.Hosts) { l.Slice(wire.Up, 0, 0, 0) }},
	{"Loss: chance: 0 is not over 0 and at most 1", func(l *wire.Link, _ *wire.Hosts) { l.Loss(wire.Up, 0) }},
	{"Loss: chance: 1.5 is not over 0", func(l *wire.Link, _ *wire.Hosts) { l.Loss(wire.Up, 1.5) }},
	{"Bandwidth: bytesPerSecond: 0 is less than 1", func(l *wire.Link, _ *wire.Hosts) { l.Bandwidth(wire.Up, 0) }},
	{"LimitData: bytes: -2 is less than 1", func(l *wire.Link, _ *wire.Hosts) { l.LimitData(wire.Up, -2) }},
	{"SlowClose: d: 0 is less than 1", func(l *wire.Link, _ *wire.Hosts) { l.SlowClose(wire.Up, 0) }},
	{"Timeout: d: 0 is less than 1", func(l *wire.Link, _ *wire.Hosts) { l.Timeout(0) }},
	{"Direction(0) is no direction", func(l *wire.Link, _ *wire.Hosts) { l.Stall(0) }},
	{"Direction(4) is no direction", func(l *wire.Link, _ *wire.Hosts) { l.Latency(4, latency.Fixed(ms)) }},
	{"latency: Fixed(-1ms): negative", func(l *wire.Link, _ *wire.Hosts) { l.Latency(wire.Up, latency.Fixed(-ms)) }},
	{"wire: Serve: listen", func(_ *wire.Link, h *wire.Hosts) {
		serve := func(net.Listener) error { return errors.New("none") }
		h.Serve("a:1", serve, nil)
		h.Serve("a:1", serve, nil)
	}},
	{"wire: Add: listen", func(_ *wire.Link, h *wire.Hosts) {
		dial := func(context.Context) (net.Conn, error) { return nil, errors.New("none") }
		h.Add("a:1", dial)
		h.Add("a:1", dial)
	}},
}

// TestWrongUsesFail the test that makes them, with what is wrong.
func TestWrongUsesFail(t *testing.T) {
	cmd := exec.Command(os.Args[0], "-test.run=^TestChildWrongUses$", "-test.v")
	cmd.Env = append(slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "QTESTS_") }), "QTESTS_CHILD=1")
	out, err := cmd.CombinedOutput()
	require.IsType(t, &exec.ExitError{}, err, "%s", out)
	for i, w := range wrong {
		require.Contains(t, string(out), fmt.Sprintf("--- FAIL: TestChildWrongUses/%d ", i))
		require.Contains(t, string(out), w.says)
	}
	require.NotContains(t, string(out), "panic")
}

func TestChildWrongUses(t *testing.T) {
	if os.Getenv("QTESTS_CHILD") == "" {
		t.Skip("runs in a process of its own, started by another test")
	}
	for i, w := range wrong {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			qtests.Run(t, func(q *qtests.T) { w.use(wire.NewT(q, "db"), wire.NewHosts(q)) })
		})
	}
}
