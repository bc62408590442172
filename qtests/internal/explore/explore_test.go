package explore

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/internal/ordered"
)

func TestSpecs(t *testing.T) {
	for text, want := range map[string]Spec{
		"fifo": {Asked: true}, "random": {Strategy: ordered.Random, Asked: true}, "pos": {Strategy: ordered.POS, Asked: true},
		"pct": {Strategy: ordered.PCT, Depth: 3, Asked: true}, "pct:1/1": {Strategy: ordered.PCT, Depth: 1, Steps: 1, Asked: true},
		"pct:9/240": {Strategy: ordered.PCT, Depth: 9, Steps: 240, Asked: true}, "": {},
		"pct:3/1099511627776": {Strategy: ordered.PCT, Depth: 3, Steps: 1 << 40, Asked: true},
	} {
		s, err := Parse(text)
		require.NoError(t, err, text)
		require.Equal(t, want, s, text)
		again, err := Parse(s.String())
		require.NoError(t, err)
		s.Asked = true
		require.Equal(t, s, again, text)
	}
	for _, bad := range []string{"lifo", "pct:0/3", "pct:10/3", "pct:3/-1", "pct:x", "fifo:1/2", "pct:3/x", "pct:3/1099511627777"} {
		_, err := Parse(bad)
		require.ErrorContains(t, err, bad)
	}
	for want, s := range map[string]Spec{"fifo": {}, "random": {Strategy: ordered.Random}, "pos": {Strategy: ordered.POS}, "pct:3": For(2, 1), "pct:3/240": For(2, 1).Over(240)} {
		require.Equal(t, want, s.String())
	}
	require.Equal(t, ordered.FIFO, For(1, 1).Strategy)
	require.Equal(t, Spec{Strategy: ordered.PCT, Depth: 3, Steps: 7}, For(2, 1).Over(7))
	require.Equal(t, Spec{Strategy: ordered.POS}, Spec{Strategy: ordered.POS}.Over(7))
}

// The changes of PCT lie among its steps, differ from seed to seed, and meet each of them.
func TestChanges(t *testing.T) {
	spec := Spec{Strategy: ordered.PCT, Depth: 3, Steps: 10}
	seen, pairs := map[uint64]int{}, map[[2]uint64]bool{}
	for seed := range uint64(1000) {
		at := spec.Changes(seed)
		require.Len(t, at, 2)
		require.Equal(t, at, spec.Changes(seed))
		for _, a := range at {
			require.True(t, a >= 1 && a <= 10, "%d", a)
			seen[a]++
		}
		pairs[[2]uint64(at)] = true
	}
	require.Len(t, seen, 10)
	require.Len(t, pairs, 100, "one step does not follow from the other")
	for step, n := range seen {
		require.Greater(t, n, 140, "step %d of 2,000 draws over 10 steps", step)
	}
	require.Empty(t, Spec{Strategy: ordered.Random}.Changes(3))
	spec.Steps = 0
	for i := range 2 {
		late := map[uint64]bool{}
		for seed := range uint64(2000) {
			a := spec.Changes(seed)[i]
			require.True(t, a >= 1 && a <= 1024)
			if a > 512 {
				late[a%8] = true
			}
		}
		require.Len(t, late, 8, "a step does not follow from the number of them")
	}
}

func TestBound(t *testing.T) {
	require.Equal(t, 1./4, Bound(1, 4, 100))
	require.Equal(t, 1./400, Bound(2, 4, 100))
	require.Equal(t, 1./40000, Bound(3, 4, 100))
	require.Equal(t, 1., Bound(3, 0, 0))
}

// TestCut: whatever set of choices a failure needs, exactly that is left.
func TestCut(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for range 300 {
		n := 1 + r.IntN(60)
		all := make([]int, n)
		for i := range all {
			all[i] = i
		}
		need := map[int]bool{}
		for range r.IntN(5) {
			need[r.IntN(n)] = true
		}
		runs := 0
		got := Cut(all, func(lists [][]int) int {
			for i, l := range lists {
				require.False(t, slices.ContainsFunc(lists[:i], func(other []int) bool { return slices.Equal(l, other) }), "no list is tried twice: %v", lists)
			}
			return slices.IndexFunc(lists, func(l []int) bool {
				runs++
				have := 0
				for _, c := range l {
					if need[c] {
						have++
					}
				}
				return have == len(need)
			})
		})
		require.Len(t, got, len(need))
		require.True(t, slices.IsSorted(got))
		for _, c := range got {
			require.True(t, need[c])
		}
		require.Less(t, runs, 40*(len(need)+1)+10)
	}
}

// A cut that is ended early leaves a list that failed.
func TestCutEndsEarly(t *testing.T) {
	calls := 0
	got := Cut([]int{1, 2, 3, 4, 5, 6, 7, 8}, func(lists [][]int) int {
		if calls++; calls == 3 {
			return -2
		}
		return slices.IndexFunc(lists, func(l []int) bool { return slices.Contains(l, 2) })
	})
	require.Equal(t, []int{1, 2, 3, 4}, got)
	require.Equal(t, []int{7}, Cut([]int{7}, func([][]int) int { return -2 }))
}

var example = File{Test: "TestX/a_b", Seed: 17, Notes: []string{"found yesterday"}, Trial: Trial{Choices: []ordered.Choice{
	{Goroutine: 0x3f2a, N: 4, Target: 0x99e1}, {Goroutine: 0x99e1, N: 7, Kind: ordered.ChooseSelect}, {Goroutine: 1, N: 5, Kind: ordered.ChooseTimer},
}}}

func TestFiles(t *testing.T) {
	var b strings.Builder
	_, err := example.WriteTo(&b)
	require.NoError(t, err)
	require.Equal(t, "qtests choices 1\n# found yesterday\ntest TestX/a_b\nseed 17\nturn 3f2a 4 99e1\nselect 99e1 7\ntimer 1 5\n", b.String())
	f, err := Read(strings.NewReader(b.String()))
	require.NoError(t, err)
	require.Equal(t, example, f)
	for text, want := range map[string]string{
		"": "no line", "qtests choices 2\n": "line 1", "qtests choices 1\n": "no line says", "qtests choices 1\ntest T\nturn 1 2\n": "line 3: turn takes 3",
		"qtests choices 1\ntest T\nexplore \"\"\n": "line 3: explore takes a strategy", "qtests choices 1\ntest T\nturn x 2 3\n": "line 3", "qtests choices 1\ntest T\nsleep 1\n": `"sleep" is none`, "qtests choices 1\nseed -1\n": "line 2",
	} {
		_, err := Read(strings.NewReader(text))
		require.ErrorContains(t, err, want, "%q", text)
	}
}

func TestKnown(t *testing.T) {
	dir := t.TempDir()
	known, err := Known(dir)
	require.NoError(t, err)
	require.Empty(t, known)
	at := filepath.Join(dir, "testdata", "qtests")
	require.NoError(t, os.MkdirAll(at, 0o755))
	var b strings.Builder
	_, err = example.WriteTo(&b)
	require.NoError(t, err)
	name := filepath.Join(at, FileName(example.Test)+".choices")
	require.Equal(t, "TestX-a_b.choices", filepath.Base(name))
	require.NoError(t, os.WriteFile(name, []byte(b.String()), 0o644))
	known, err = Known(dir)
	require.NoError(t, err)
	require.Equal(t, map[string][]string{"TestX/a_b": {name}}, known)
	require.NoError(t, os.WriteFile(filepath.Join(at, "bad.choices"), nil, 0o644))
	_, err = Known(dir)
	require.ErrorContains(t, err, "bad.choices")
}

func TestNamesOfFiles(t *testing.T) {
	for test, want := range map[string]string{
		"TestX/a_b-c.d": "TestX-a_b-c.d", "azAZ09": "azAZ09", "`{@[/:é ": "--------", strings.Repeat("é", 200): strings.Repeat("-", 100), strings.Repeat("a", 100): strings.Repeat("a", 100),
	} {
		require.Equal(t, want, FileName(test))
	}
}

func FuzzRead(f *testing.F) {
	var b strings.Builder
	_, _ = example.WriteTo(&b)
	f.Add(b.String())
	f.Add("qtests choices 1\ntest T\n#\n\nturn 0 0 0\n")
	f.Fuzz(func(t *testing.T, text string) {
		file, err := Read(strings.NewReader(text))
		if err != nil {
			return
		}
		var b strings.Builder
		_, err = file.WriteTo(&b)
		require.NoError(t, err)
		again, err := Read(strings.NewReader(b.String()))
		require.NoError(t, err)
		require.Equal(t, file.Choices, again.Choices)
		require.Equal(t, [2]any{file.Test, file.Seed}, [2]any{again.Test, again.Seed})
	})
}

func TestFailuresHaveNames(t *testing.T) {
	var none *Failure
	for want, f := range map[string]*Failure{
		"": none, "panic: close of closed channel": {Kind: "panic", Text: "close of closed channel", Where: "a.go:1"},
		"assertion at a_test.go:7": {Kind: "assertion", Text: "1 is not 2", Where: "a_test.go:7"}, "leak": {Kind: "leak", Text: "2 goroutines"},
	} {
		require.Equal(t, want, f.Is())
	}
}
