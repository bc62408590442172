package share

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestTermsOfTheStart(t *testing.T) {
	read := func(pairs ...string) (Terms, error) {
		return TermsFromEnv(func(name string) string {
			for i := 0; i < len(pairs); i += 2 {
				if pairs[i] == name {
					return pairs[i+1]
				}
			}
			return ""
		})
	}
	got, err := read()
	require.NoError(t, err)
	require.Equal(t, Terms{Wait: DefaultWait, Lead: DefaultLead}, got)
	got, err = read(StartVar, "2026-01-31T12:00:00.5Z", WaitVar, "1ns", LeadVar, "3s")
	require.NoError(t, err)
	require.Equal(t, Terms{time.Date(2026, 1, 31, 12, 0, 0, 5e8, time.UTC), 1, 3 * time.Second}, got)
	for _, bad := range [][2]string{{StartVar, "soon"}, {WaitVar, "x"}, {WaitVar, "0s"}, {LeadVar, "-1s"}} {
		_, err = read(bad[:]...)
		require.ErrorContains(t, err, fmt.Sprintf("%s: %q is not", bad[0], bad[1]))
	}
}

// roomOf is the place of a part in a directory.
func roomOf(dir string, i, of int) Room { return Room{Share: Share{i, of}, Dir: dir} }

// Parts that have all come begin together, after the last of them, by the clock of the directory.
func TestMeeting(t *testing.T) {
	dir := t.TempDir()
	terms := Terms{Wait: time.Hour, Lead: time.Hour}
	other := make(chan Meeting)
	go func() {
		m, _ := roomOf(dir, 2, 2).Meet(context.Background(), terms, time.Now)
		other <- m
	}()
	mine, err := roomOf(dir, 1, 2).Meet(t.Context(), terms, time.Now)
	require.NoError(t, err)
	require.True(t, mine.Start.Equal((<-other).Start))
	require.True(t, mine.Start.After(time.Now().Add(30*time.Minute)))
	_, err = roomOf(dir, 1, 2).Meet(t.Context(), terms, time.Now)
	require.ErrorIs(t, err, ErrExists, "another run")

	given := time.Now().Add(time.Hour)
	m, err := roomOf(t.TempDir(), 1, 9).Meet(t.Context(), Terms{Start: given}, time.Now)
	require.NoError(t, err, "nobody waits for the others")
	require.Equal(t, given, m.Start)
	_, err = roomOf(t.TempDir(), 1, 9).Meet(t.Context(), Terms{Start: given}, func() time.Time { return given })
	require.ErrorContains(t, err, "part 1/9: "+StartVar+" was 0s ago")
	ended, end := context.WithCancelCause(t.Context())
	end(errors.New("over"))
	_, err = roomOf(t.TempDir(), 1, 3).Meet(ended, terms, time.Now)
	require.ErrorContains(t, err, "over")
	_, err = roomOf(filepath.Join(dir, "none"), 1, 2).Meet(t.Context(), terms, time.Now)
	require.ErrorIs(t, err, os.ErrNotExist)
}

// Of clocks that differ by a second and more the one in the middle is right.
func TestClocks(t *testing.T) {
	name := func(i int) string { return fmt.Sprint("part ", i) }
	for _, c := range []struct {
		offs []time.Duration // in ms
		want string
	}{
		{[]time.Duration{5}, ""}, {[]time.Duration{0, 999}, ""},
		{[]time.Duration{0, 1000}, "the clocks are 1s apart, and may be 1s: the clock of part 1 is 1s ahead of the others"},
		{[]time.Duration{0, 10, -990}, "the clocks are 1s apart, and may be 1s: the clock of part 2 is 990ms behind the others"},
		{[]time.Duration{500, 0, 1000}, "the clocks are 1s apart, and may be 1s: the clock of part 1 is 500ms behind the others; the clock of part 2 is 500ms ahead of the others"},
		{[]time.Duration{0, 1, 2, 499, 5000}, "the clocks are 5s apart, and may be 1s: the clock of part 4 is 4.998s ahead of the others"},
	} {
		for i := range c.offs {
			c.offs[i] *= time.Millisecond
		}
		err := Clocks(c.offs, name)
		if c.want == "" {
			require.NoError(t, err)
		} else {
			require.EqualError(t, err, c.want)
		}
	}
	require.Equal(t, "part 3", Named([]int{3}))
	require.Equal(t, "parts 1, 2", Named([]int{1, 2}))
}

func TestFilesOfAPart(t *testing.T) {
	dir := t.TempDir()
	r := roomOf(filepath.Join(dir, "shop-1"), 2, 3)
	require.Equal(t, "shop-1", r.Name())
	require.Equal(t, filepath.Join(dir, "shop-1", "load-2-of-3.json"), r.File("load", ".json"))
	file := filepath.Join(dir, "a.json")
	require.NoError(t, Write(file, []byte("x")))
	require.ErrorIs(t, Write(file, []byte("y")), ErrExists)
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, "x", string(text))
	full := errors.New("full")
	require.ErrorIs(t, write(filepath.Join(dir, "b.json"), nil, func(*os.File) error { return full }), full)
	require.ErrorIs(t, Write(filepath.Join(dir, "none", "b.json"), nil), os.ErrNotExist)
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, left, 1, "nothing half written")
}

func TestTheOnlyPartIsTheWhole(t *testing.T) {
	require.True(t, Share{}.Whole())
	require.True(t, Share{1, 1}.Whole())
	require.False(t, Share{1, 2}.Whole())
}

func TestNamesOfRooms(t *testing.T) {
	require.Regexp(t, `^Test-X_9-shop---a-[0-9a-f]{8}-3$`, roomName(3, []string{"Test-X_9", "shop é/a"}))
	require.NotEqual(t, roomName(1, []string{"a", "b"}), roomName(1, []string{"a-b"}))
	for _, n := range []int{79, 80, 81, 200} {
		require.Len(t, roomName(1, []string{strings.Repeat("a", n)}), min(n, 80)+len("-01234567-1"))
	}
	var c counter
	require.Equal(t, []int{1, 2, 1}, []int{c.next([]string{"a", "b"}), c.next([]string{"a", "b"}), c.next([]string{"a"})})
}

// sweepOf is what part i of two has of ten seeds from 5 on.
func sweepOf(i int, failed ...uint64) Sweep {
	return Sweep{Version: SweepVersion, Test: "T", First: 5, Seeds: 10, Index: i, Of: 2, Ran: 5, Failed: failed, Repeat: fmt.Sprint("repeat ", i)}
}

func TestSweepsAreReadAndMerged(t *testing.T) {
	dir := t.TempDir()
	var parts []Sweep
	for _, s := range []Sweep{sweepOf(2, 6, 12), sweepOf(1, 7)} { // the second part has 6, 8, …
		require.NoError(t, s.Write(roomOf(dir, s.Index, 2)))
		text, err := os.ReadFile(roomOf(dir, s.Index, 2).File("sweep", ".json"))
		require.NoError(t, err)
		got, err := ReadSweep(text)
		require.NoError(t, err)
		require.Equal(t, s, got)
		parts = append(parts, got)
	}
	all, err := MergeSweeps(parts)
	require.NoError(t, err)
	require.Equal(t, []uint64{6, 7, 12}, all.Failed)
	require.Equal(t, 10, all.Ran)
	require.Equal(t, "qtests: 3 of 10 seeds failed: 6, 7, 12\nto repeat the first: repeat 2", all.Report())
	require.Empty(t, sweepOf(1).Report())
	_, err = MergeSweeps(nil)
	require.EqualError(t, err, "there are no parts")
	_, err = MergeSweeps(parts[:1])
	require.ErrorContains(t, err, "part 1 of 2: missing")
	short, other := sweepOf(1), sweepOf(2)
	short.Ran, other.Seeds = 4, 9
	_, err = MergeSweeps([]Sweep{short, sweepOf(2)})
	require.EqualError(t, err, "part 1/2 ran 4 of its 5 seeds")
	_, err = MergeSweeps([]Sweep{sweepOf(1), other})
	require.ErrorContains(t, err, "part 2/2 is of another sweep: T, 9 seeds from 5")
	low, high := uint64(6), uint64(7)
	first, second := sweepOf(1), sweepOf(2)
	first.Stopped, first.Ran, second.Stopped = &high, 1, &low
	all, err = MergeSweeps([]Sweep{first, second})
	require.NoError(t, err, "one that was stopped has run fewer")
	require.Equal(t, low, *all.Stopped)
	var many []uint64
	for i := range uint64(21) {
		many = append(many, i)
	}
	require.NotContains(t, listed(many[:20]), "…")
	require.True(t, strings.HasSuffix(listed(many), ", 19, …"))
}

func TestSweepsThatCannotBe(t *testing.T) {
	good := sweepOf(1, 5, 13)
	for want, change := range map[string]func(s *Sweep){
		"":                   func(*Sweep) {},
		"is of version":      func(s *Sweep) { s.Version++ },
		"there is no part 3": func(s *Sweep) { s.Index = 3 },
		"counts that no":     func(s *Sweep) { s.Ran = -1 },
		"0 ran":              func(s *Sweep) { s.Ran = 0 },
		"6 skipped":          func(s *Sweep) { s.Skipped = 6 },
		"-1 skipped":         func(s *Sweep) { s.Skipped = -1 },
		"seed 4 is not one":  func(s *Sweep) { s.Failed = []uint64{4} },
		"seed 6 is not one":  func(s *Sweep) { s.Failed = []uint64{6} },
		"seed 15 is not one": func(s *Sweep) { s.Failed = []uint64{15} },
	} {
		s := good
		change(&s)
		dir := t.TempDir()
		require.NoError(t, s.Write(roomOf(dir, 1, 2)))
		text, err := os.ReadFile(roomOf(dir, 1, 2).File("sweep", ".json"))
		require.NoError(t, err)
		_, err = ReadSweep(text)
		if want == "" {
			require.NoError(t, err)
		} else {
			require.ErrorContains(t, err, want)
		}
	}
	for _, change := range []func(s *Sweep){
		func(s *Sweep) { s.Ran, s.Failed = 2, []uint64{6, 14} }, func(s *Sweep) { s.Ran, s.Failed = 0, nil }, func(s *Sweep) { s.Seeds, s.Ran, s.Failed = 0, 0, nil },
		func(s *Sweep) { s.Skipped, s.Failed = 5, nil },
	} {
		s := sweepOf(2)
		change(&s)
		text, err := json.Marshal(s)
		require.NoError(t, err)
		_, err = ReadSweep(text)
		require.NoError(t, err, s)
	}
	_, err := ReadSweep([]byte("{"))
	require.Error(t, err)
	require.NoError(t, Complete([]int{2, 1}, 2))
	require.EqualError(t, Complete([]int{1, 3, 3, 0}, 3), "part 2 of 3: missing\npart 3 of 3: there more than once\npart 0 of 3: no part of this run")
	require.EqualError(t, Complete([]int{1, 4}, 3), "parts 2, 3 of 3: missing\npart 4 of 3: no part of this run")
}
