package inputs

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var example = &Inputs{
	Faults: []Fault{
		{Plan: "shop", Name: `db "x": outage`, N: 1, At: 12500 * time.Millisecond, For: 3 * time.Second},
		{Plan: "load four days", Name: "store: crash", N: 2, At: time.Minute, Before: 4},
	},
	Loads: []Load{{Name: "check out", N: 1, Requests: 100, Scale: 0.25}},
}

// read reads what WriteTo writes.
func read(text string) (*Inputs, error) {
	in := new(Inputs)
	for line := range strings.Lines(text) {
		words, err := Words(line)
		if err != nil || len(words) == 0 {
			return in, err
		}
		if _, err := in.Add(words); err != nil {
			return in, err
		}
	}
	return in, nil
}

func TestFileOfInputs(t *testing.T) {
	var b strings.Builder
	_, err := example.WriteTo(&b)
	require.NoError(t, err)
	require.Equal(t, `fault "shop" "db \"x\": outage" 1 12.5s 3s
fault "load four days" "store: crash" 2 1m0s 0s before 4
load "check out" 1 requests 100 scale 0.25
`, b.String())
	in, err := read(b.String())
	require.NoError(t, err)
	require.Equal(t, example, in)
	b.Reset()
	_, err = (&Inputs{Loads: []Load{{Name: "whole", N: 1, Scale: 1}}}).WriteTo(&b)
	require.NoError(t, err)
	require.Equal(t, "faults none\n", b.String(), "no fault, and no load that is cut")
	in, err = read(b.String())
	require.NoError(t, err)
	require.True(t, in.Empty())
	for line, want := range map[string]string{
		"faults some": "none", `fault "a" "b" 1 2s`: "a fault is like", `fault "a" "b" 0 2s 3s`: "at least 1", `fault "a" "b" 1 x 3s`: "invalid duration",
		`fault "a" "b" 1 -2s 3s`: "behind all time", `fault "a" "b" 1 2s 3s before 0`: "at least 1", `fault "a" "b" 1 2s 3s behind 1`: "a fault is like",
		`load "a" 1 requests x scale 1`: "no number", `load "a" 1 requests 1 scale 0`: "no scale", `load "a" 1 scale 1`: "a load is like", `fault "a`: "no end",
		`load "a" 0 requests 1 scale 1`: "at least 1", `load "a" 1 requests -1 scale 1`: "no number", `load "a" 1 requests 1 scale Inf`: "no scale",
	} {
		_, err := read(line)
		require.ErrorContains(t, err, want, line)
	}
	ok, err := new(Inputs).Add([]string{"turn"})
	require.False(t, ok)
	require.NoError(t, err)
}

func FuzzInputs(f *testing.F) {
	var b strings.Builder
	_, _ = example.WriteTo(&b)
	f.Add(b.String())
	f.Add("faults none\nfault \"\" \"\\u00e9\" 1 0s 0s\n")
	f.Fuzz(func(t *testing.T, text string) {
		in, err := read(text)
		if err != nil {
			return
		}
		var b strings.Builder
		_, err = in.WriteTo(&b)
		require.NoError(t, err)
		again, err := read(b.String())
		require.NoError(t, err)
		require.Equal(t, len(in.Faults), len(again.Faults))
		for i := range in.Faults {
			require.Equal(t, in.Faults[i], again.Faults[i])
		}
	})
}

// A set hands out what a run has of itself, or what it was given, and takes note of it.
func TestSet(t *testing.T) {
	own := []Fault{{Name: "a", N: 1, At: time.Second}, {Name: "b", N: 1, At: 2 * time.Second}}
	var none *Set
	require.Equal(t, own, none.Plan("p", 0, own))
	l, made := none.Load("x")
	made(1)
	require.Equal(t, Load{Name: "x", N: 1, Scale: 1}, l)
	require.Nil(t, none.Taken())

	noted := 0
	s := NewSet(nil, func(*Inputs) { noted++ })
	require.Nil(t, s.Taken())
	require.Len(t, s.Plan("p", time.Minute, append([]Fault(nil), own...)), 2)
	require.Len(t, s.Plan("p", 0, own[:1]), 1)
	l, made = s.Load("x")
	require.True(t, l.Whole())
	l, _ = s.Load("x")
	require.Equal(t, 2, l.N)
	made(7)
	in := s.Taken()
	require.Equal(t, 4, noted)
	require.Equal(t, []Load{{Name: "x", N: 1, Scale: 1, Made: 7}, {Name: "x", N: 2, Scale: 1}}, in.Loads)
	require.Equal(t, []string{"p", "p", "p #2"}, []string{in.Faults[0].Plan, in.Faults[1].Plan, in.Faults[2].Plan})
	require.Equal(t, time.Minute, in.Faults[0].Start)

	in = in.With(in.Faults[1:2])
	in.Loads[1].Requests = 3
	s = NewSet(in, nil)
	got := s.Plan("p", 0, own)
	require.Len(t, got, 1)
	require.Equal(t, "b", got[0].Name)
	require.Empty(t, s.Plan("p", 0, own))
	_, _ = s.Load("x")
	l, _ = s.Load("x")
	require.EqualValues(t, 3, l.Requests)
	require.True(t, s.Taken().Same(in), "the same inputs are taken again")
	require.NotNil(t, NewSet(&Inputs{}, nil).Taken(), "no faults were given")
}

// TestSmaller: whatever the failure needs, about that much is left.
func TestSmaller(t *testing.T) {
	for _, need := range []struct {
		requests int64
		scale    float64
		length   time.Duration
	}{{1, 0.01, 0}, {37, 0.02, 3 * time.Second}, {1000, 1, time.Minute}, {1 << 40, 0.4, 10 * time.Second}} {
		in := &Inputs{
			Faults: []Fault{{Name: "f", N: 1, For: time.Minute}, {Name: "for ever", N: 1}},
			Loads:  []Load{{Name: "x", N: 1, Scale: 1, Made: 5000}},
		}
		runs := 0
		fails := func(in *Inputs) bool {
			runs++
			l := in.Loads[0]
			return (l.Requests == 0 || l.Requests >= need.requests) && l.Scale >= need.scale && in.Faults[0].For >= need.length && in.Faults[1].For == 0
		}
		got := Smaller(in, func(all []*Inputs) int {
			for i, in := range all {
				if fails(in) {
					return i
				}
			}
			return -1
		})
		require.True(t, fails(got))
		require.EqualValues(t, 0, in.Loads[0].Requests, "the argument stays as it is")
		l := got.Loads[0]
		if need.requests < 5000 {
			require.LessOrEqual(t, l.Requests, need.requests+need.requests/8+1, "%v", got)
		}
		require.LessOrEqual(t, l.Scale, max(2.5*need.scale, 0.01))
		require.LessOrEqual(t, got.Faults[0].For, max(4*need.length, time.Second))
		require.Less(t, runs, 60)
	}
}

func TestSmallerEndsEarly(t *testing.T) {
	in := &Inputs{Loads: []Load{{Name: "x", N: 1, Scale: 1, Made: 5000}}}
	calls := 0
	got := Smaller(in, func(all []*Inputs) int {
		if calls++; calls == 1 {
			return len(all) - 1
		}
		return -2
	})
	require.EqualValues(t, 4096, got.Loads[0].Requests)
	require.Equal(t, 2, calls)
}

// What is tried: powers of two below what there was, and less of the load and of the fault than there is.
func TestSmallerTries(t *testing.T) {
	for _, x := range []struct {
		made, given int64
		requests    []int64
	}{{5, 0, []int64{1, 2, 4}}, {4, 0, []int64{1, 2}}, {1, 0, nil}, {9, 3, []int64{1, 2}}, {3, 9, []int64{1, 2}}, {0, 3, []int64{1, 2}}} {
		in := &Inputs{Loads: []Load{{Name: "x", N: 1, Scale: 0.5, Made: x.made, Requests: x.given}}}
		var requests []int64
		var scales []float64
		Smaller(in, func(all []*Inputs) int {
			for _, in := range all {
				if in.Loads[0].Scale == 0.5 {
					requests = append(requests, in.Loads[0].Requests)
				} else {
					scales = append(scales, in.Loads[0].Scale)
				}
			}
			return -1
		})
		require.Equal(t, x.requests, requests, x)
		require.Equal(t, []float64{0.01, 0.03, 0.1, 0.3}, scales)
	}
	tries := 0
	Smaller(&Inputs{Loads: []Load{{Scale: 0.01}}}, func(all []*Inputs) int { tries = len(all); return -1 })
	require.Equal(t, 16, tries, "where it is not known how many there were")
	var lengths []time.Duration
	Smaller(&Inputs{Faults: []Fault{{For: 100}}}, func(all []*Inputs) int {
		for _, in := range all {
			lengths = append(lengths, in.Faults[0].For)
		}
		return -1
	})
	require.Equal(t, []time.Duration{1, 6, 25, 50, 75}, lengths, "none that lasts for ever")
}

// A cut that ended early is over for the other scenarios as well.
func TestSmallerEndsForAll(t *testing.T) {
	in := &Inputs{Loads: []Load{{Name: "x", N: 1, Scale: 1, Requests: 100}, {Name: "y", N: 1, Scale: 1, Requests: 100}}}
	calls := 0
	got := Smaller(in, func([]*Inputs) int { calls++; return -2 })
	require.Equal(t, in.Loads, got.Loads)
	require.Equal(t, 1, calls)
}

func TestBoundsOfALine(t *testing.T) {
	in, err := read("fault \"a\" \"b\" 1 0s 0s\nload \"x\" 1 requests 0 scale 1\nfault a b 1 2562047h47m16.854775806s 1ns\n")
	require.NoError(t, err)
	require.Len(t, in.Faults, 2)
	_, err = read(`fault a b 1 2562047h47m16.854775806s 2ns`)
	require.ErrorContains(t, err, "behind all time")
	require.False(t, (&Inputs{Faults: in.Faults[:1], Loads: in.Loads}).Empty())
	require.False(t, (&Inputs{Loads: in.Loads}).Empty())
}

func TestTexts(t *testing.T) {
	require.Equal(t, `db "x": outage, at 12.5s, for 3s`, example.Faults[0].String())
	require.Equal(t, "store: crash, before operation 4 from 1m0s on", example.Faults[1].String())
	require.Equal(t, "check out: the first 100 requests, at scale 0.25", example.Loads[0].String())
	require.Equal(t, "x, number 2", Load{Name: "x", N: 2, Scale: 1}.String())
	var none *Inputs
	require.True(t, none.Same(nil))
	require.False(t, none.Same(example))
	require.Equal(t, time.Duration(9900), round(9999))
}
