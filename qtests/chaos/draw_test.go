package chaos

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/internal/inputs"
	"github.com/go-qtests/qtests/qtests/internal/tenancy"
	"github.com/go-qtests/qtests/qtests/tb"
)

// The time of a fault is shared evenly.
func TestSlots(t *testing.T) {
	f := prepared(t, Fault{Event: nothing, Most: 4, From: 10 * time.Second, To: 50 * time.Second})
	for k := range 4 {
		from, to := f.slot(k)
		require.Equal(t, time.Duration(10+10*k)*time.Second, from)
		require.Equal(t, time.Duration(20+10*k)*time.Second, to)
	}
}

// The instant is drawn evenly, and as long as people can read: about a thousandth of the time there is.
func TestInstantIsEven(t *testing.T) {
	from, quarters := 100*time.Hour, [4]int{}
	r := tb.NewStream(1, "x").Rand()
	for range 4000 {
		d := between(r, from, from+time.Second)
		require.Zero(t, d%time.Millisecond)
		quarters[(d-from)/(time.Second/4)]++
	}
	for _, n := range quarters {
		require.InDelta(t, 1000, n, 140) // five standard errors
	}
}

func TestRounded(t *testing.T) {
	const d = 123456789 * time.Nanosecond
	for span, want := range map[time.Duration]time.Duration{
		time.Second: 123 * time.Millisecond, time.Second - 1: 123400 * time.Microsecond,
		9999: d, 10000: d - 9, 99999: d - 9, 100000: d - 89, 0: d,
	} {
		require.Equal(t, want, rounded(d, span), "of %v", span)
	}
}

// A fault happens when its draw is less than its chance, and the draw is of its number.
func TestDrawIsOfTheNumber(t *testing.T) {
	s := tb.NewStream(1, "x")
	f := prepared(t, Fault{Event: nothing, Most: 2, Longest: time.Second})
	f.Chance = max(s.At(4).Float64(), s.At(5).Float64())
	require.Len(t, f.draw(s, 4), 1)
	f.Chance = math.Nextafter(f.Chance, 1)
	both := f.draw(s, 4)
	require.Len(t, both, 2)
	f.Most = 1
	last := f.draw(s, 5)
	require.Len(t, last, 1)
	require.Equal(t, both[1].For, last[0].For)
	require.Equal(t, []int{4, 5, 5}, []int{both[0].N, both[1].N, last[0].N})
}

// A run that is repeated has the faults of its file.
func TestPlanOfAFile(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		given := &inputs.Inputs{Faults: []inputs.Fault{
			{Plan: DefaultName, Name: "nothing", N: 1, At: 7 * time.Second, For: time.Second}, {Plan: DefaultName, Name: "nothing", N: 2, At: time.Second},
			{Plan: "another", Name: "nothing", N: 1},
		}}
		tenancy.Here().Inputs = inputs.NewSet(given, func(*inputs.Inputs) {})
		p := NewT(q, Config{Within: time.Minute, Faults: []Fault{{Event: nothing, Chance: 1e-300}}})
		require.Equal(q, []time.Duration{7 * time.Second, time.Second}, []time.Duration{p.drawn[0].At, p.drawn[1].At})
		require.Len(q, p.drawn, 2)
	})
}

func TestNoFaults(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		p := NewT(q, Config{Within: time.Minute, Faults: []Fault{{Event: nothing, Chance: 1e-300}}})
		require.Equal(q, "plan faults: no faults", fmt.Sprint(p))
	})
}

// listening is a network with the component a, which accepts all that dial it.
func listening(q *qtests.T) *Network {
	n := NewNetwork(q)
	n.Component("a", func(l *Life) {
		lis, err := l.Listen()
		for err == nil {
			_, err = lis.Accept()
		}
	})
	q.Wait()
	return n
}

// The addresses of who dials are those of a block, in order.
func TestLocalAddresses(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		n := listening(q)
		for before, want := range map[int]string{
			0: "192.0.2.1:1025", 1: "192.0.2.1:1026", 59_998: "192.0.2.1:61023", 59_999: "192.0.2.2:1024",
			60_000*253 + 6: "192.0.2.254:1031", 60_000*254 + 6: "192.0.2.1:1031",
		} {
			n.mu.dials = before
			c, err := n.Test().Dial(q.Context(), "tcp", "a")
			require.NoError(q, err)
			require.Equal(q, want, c.LocalAddr().String())
		}
	})
}

// A connection is on the list until both of its ends are closed.
func TestForgotten(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		n := listening(q)
		var ends []*conn
		for range 3 {
			_, err := n.Test().Dial(q.Context(), "tcp", "a")
			require.NoError(q, err)
			ends = n.mu.conns
		}
		first, second, third := ends[0], ends[2], ends[4]
		require.NoError(q, second.Close())
		require.Len(q, n.mu.conns, 6)
		require.NoError(q, second.peer.Close())
		require.Equal(q, []*conn{first, first.peer, third, third.peer}, n.mu.conns)
	})
}
