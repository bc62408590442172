package compare

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// profileOf writes a profile of a function.
func profileOf(file string, f func()) error {
	stop, err := ProfileTo(file)
	if err != nil {
		return err
	}
	f()
	return stop()
}

func TestProfiler(t *testing.T) {
	var taken []string
	p := &Profiler{
		Own: `^github\.com/go-qtests/qtests/bench/internal/compare\.`, Enough: 1e9, Most: 3,
		Take: func(pattern, file string) error {
			taken = append(taken, pattern+" "+filepath.Base(file))
			return profileOf(file, func() { allocate(100_000); burn(50 * time.Millisecond) })
		},
	}
	ours := Ours(Work{})
	got, err := p.Profile(t.TempDir(), Allocated, "pattern", &ours)
	require.NoError(t, err)
	require.Equal(t, []string{"pattern allocs.prof"}, taken, "allocations are counted, not sampled")
	require.Equal(t, 1, got.Taken)
	require.Len(t, got.Views, 2)
	require.Contains(t, got.Views[0].Text, "Type: alloc_objects")
	require.Regexp(t, `(?s)^ +flat .*compare\.allocate`, got.Views[1].Text, "the table is all that is new of ours")
	require.NotContains(t, got.Views[1].Text, "testing.tRunner")

	taken = nil
	got, err = p.Profile(t.TempDir(), ProcessorTime, "pattern", &ours)
	require.NoError(t, err)
	require.Len(t, taken, 3, "never enough")
	require.Equal(t, 3, got.Taken)

	taken, p.Enough = nil, 0
	got, err = p.Profile(t.TempDir(), ProcessorTime, "pattern", &ours)
	require.NoError(t, err)
	require.Equal(t, []string{"pattern cpu.prof"}, taken, "enough at once")
	require.Equal(t, 1, got.Taken)

	taken = nil
	ours.Profile = func(file string) error {
		require.Equal(t, "heap.prof", filepath.Base(file))
		return profileOf(file, func() {})
	}
	_, err = p.Profile(t.TempDir(), MemoryInUse, "pattern", &ours)
	require.NoError(t, err)
	require.Empty(t, taken, "it has a way of its own")
}

func TestProfilerFails(t *testing.T) {
	ours := Ours(Work{})
	p := &Profiler{Take: func(string, string) error { return errTest }}
	_, err := p.Profile(t.TempDir(), Allocated, "pattern", &ours)
	require.ErrorIs(t, err, errTest)
	p.Take = func(string, string) error { return nil }
	for kind := range kinds {
		_, err = p.Profile(t.TempDir(), Kind(kind), "pattern", &ours)
		require.ErrorContains(t, err, "go tool pprof", "there is no file")
	}
}

func TestCountSamples(t *testing.T) {
	file := filepath.Join(t.TempDir(), "cpu.prof")
	require.NoError(t, profileOf(file, func() {}))
	none, err := countSamples([]string{file})
	require.NoError(t, err)
	require.NoError(t, profileOf(file, func() { burn(300 * time.Millisecond) }))
	once, err := countSamples([]string{file})
	require.NoError(t, err)
	thrice, err := countSamples([]string{file, file, file})
	require.NoError(t, err)
	require.LessOrEqual(t, none, once)
	require.Equal(t, 3*once, thrice)
	t.Logf("real: %d samples", once)
}

// TestWanted says which profiles are taken of a comparison, and for what.
func TestWanted(t *testing.T) {
	figures := []Figure{
		TimeOf(Times(1, "peer")), AllocationsOf(), {Name: "heap", Unit: Bytes}, {Name: "rate", Unit: PerSecond, MoreIsBetter: true},
	}
	for _, c := range []struct {
		name string
		ours Readings
		want []Profile
	}{
		{"all is well", Readings{Time: 1, Allocations: 1, "heap": 1, "rate": 3}, nil},
		{"slow", Readings{Time: 3, Allocations: 1, "heap": 1, "rate": 3}, []Profile{{Kind: ProcessorTime, Figures: []string{Time}}}},
		{"at a low rate", Readings{Time: 3, Allocations: 1, "heap": 1, "rate": 1}, []Profile{{Kind: ProcessorTime, Figures: []string{Time, "rate"}}}},
		{"many allocations", Readings{Time: 1, Allocations: 3, "heap": 1, "rate": 3}, []Profile{{Kind: Allocated, Figures: []string{Allocations}}}},
		{"much memory", Readings{Time: 1, Allocations: 1, "heap": 3, "rate": 3}, []Profile{{Kind: MemoryInUse, Figures: []string{"heap"}}}},
		{"all at once", Readings{Time: 3, Allocations: 3, "heap": 3, "rate": 3}, []Profile{
			{Kind: ProcessorTime, Figures: []string{Time}}, {Kind: Allocated, Figures: []string{Allocations}}, {Kind: MemoryInUse, Figures: []string{"heap"}},
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			work := func(r Readings) Work {
				return Measured(func(testing.TB) func(Size) (Readings, error) {
					return func(Size) (Readings, error) { return r, nil }
				})
			}
			groups := []Group{{Name: "some things", Comparisons: []Comparison{{
				Name: "c", Figures: figures,
				Contestants: []Contestant{Ours(work(c.ours)), Peer("peer", work(Readings{Time: 2, Allocations: 2, "heap": 2, "rate": 2}))},
			}}}}
			o := SmokeRun
			o.Profile = func(dir string, kind Kind, pattern string, ours *Contestant) (Profile, error) {
				require.DirExists(t, dir)
				require.Equal(t, `^BenchmarkRows$/^some_things$/^c$/^qtests$`, pattern)
				require.Equal(t, OursName, ours.Name)
				return Profile{Kind: kind}, nil
			}
			all := Results(t, groups, o, func(string) {})
			require.Equal(t, c.want, all[0].Results[0].Profiles)
		})
	}
}

func TestQuoted(t *testing.T) {
	require.Equal(t, "-sample_index=cpu", quoted("-sample_index=cpu"))
	for _, arg := range []string{"^BenchmarkRows$/^a,_b$", "it's", "", "a b"} {
		if _, err := os.Stat("/bin/sh"); err != nil {
			t.Skip("there is no shell")
		}
		out, err := exec.Command("/bin/sh", "-c", "printf %s "+quoted(arg)).Output()
		require.NoError(t, err)
		require.Equal(t, arg, string(out))
	}
}
