package story

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/internal/explore"
	"github.com/go-qtests/qtests/qtests/internal/inputs"
	"github.com/go-qtests/qtests/qtests/internal/ordered"
	"github.com/go-qtests/qtests/qtests/internal/site"
)

// told is an account in which somebody waits for a lock through a fault, and gets it.
func told() *Story {
	return &Story{
		Failure: &explore.Failure{Kind: "assertion", Text: "no"},
		Lanes:   []Lane{{Name: "G1", Who: "the test"}, {Name: "G2", Who: "started by G1 at shop.go:5"}, {Name: "G3", Who: "does nothing"}},
		Lines: []Line{
			{Lane: 0, Text: "locks mu", Where: "shop.go:3", Holds: "mu"},
			{Lane: Fault, Text: "db: outage", At: time.Second},
			{Lane: 1, Text: "waits for mu", Surprise: true, At: time.Second, Left: 1},
			{Lane: 0, Text: "unlocks mu, which wakes G2", Frees: "mu", Wakes: 2, At: 2 * time.Second, Left: 2},
			{Lane: 1, Text: "locks mu", Holds: "mu", At: 2 * time.Second},
		},
	}
}

func TestPlacesOfADrawing(t *testing.T) {
	d := told().draw()
	require.Equal(t, 84+2*340, d.Width, "a gutter for the times, and two lanes")
	require.Equal(t, []int{84, 424}, []int{d.Columns[0].X, d.Columns[1].X})
	require.Len(t, d.Columns, 2, "G3 has no lane")
	type place struct{ x, y, textY, height, width int }
	var rows []place
	var texts, clocks []string
	for _, r := range d.Rows {
		rows = append(rows, place{r.X, r.Y, r.TextY, r.Height, r.Width})
		texts, clocks = append(texts, r.Name+" "+strings.Join(r.Texts, "|")), append(clocks, r.Clock)
	}
	require.Equal(t, []place{{84, 60, 49, 32, 332}, {84, 98, 87, 32, 680}, {424, 136, 125, 32, 332}, {84, 174, 163, 32, 332}, {424, 212, 201, 32, 332}}, rows)
	require.Equal(t, []string{"G1 locks mu", " * db: outage", "G2 ! waits for mu", "G1 unlocks mu, which wakes G2", "G2 locks mu"}, texts)
	require.Equal(t, []string{"", "1s", "", "2s", ""}, clocks)
	require.Equal(t, 242+16, d.Height)
	require.Equal(t, []bar{{75, 60, 114, "mu"}, {415, 212, 258 - 212 - 4, "mu"}}, d.Bars, "one until it is given back, and one to the end")
	require.Equal(t, []arrow{{84, 174, 424, 202}}, d.Arrows)

	s := told()
	for i := range s.Lines {
		s.Lines[i].At = 0
	}
	s.Lines[0].Text = strings.TrimSpace(strings.Repeat("four ", 20)) // 42 letters in a line of 316 pixels
	d = s.draw()
	require.Equal(t, []int{20, 360}, []int{d.Columns[0].X, d.Columns[1].X}, "no times")
	require.Len(t, d.Rows[0].Texts, 3)
	require.Equal(t, 64, d.Rows[0].Height)
	require.Equal(t, 52+64+6+8, d.Rows[1].Y)
	s.Lines = s.Lines[:1]
	require.Equal(t, 520, s.draw().Width, "half a page at least")
	s.Lines = nil
	for i := range 6 {
		s.Lanes = append(s.Lanes, Lane{})
		s.Lines = append(s.Lines, Line{Lane: i, Wakes: i + 1, Frees: "mu"})
	}
	d = s.draw()
	require.Equal(t, 20+6*190, d.Width, "a lane is wide enough to be read")
	require.Empty(t, d.Arrows, "who wakes itself")
	s.Lines = s.Lines[:4]
	require.Equal(t, []int{20, 20 + 255, 20 + 2*255, 20 + 3*255}, columnsOf(s.draw()), "four share the page")
	s.Lines[3].At = time.Second
	require.Equal(t, []int{84, 84 + 239, 84 + 2*239, 84 + 3*239}, columnsOf(s.draw()), "and leave room for the times")
	require.Empty(t, d.Bars)
}

func columnsOf(d drawing) (x []int) {
	for _, c := range d.Columns {
		x = append(x, c.X)
	}
	return x
}

// What stands above a lane, and what a fault says, has the room of the lane, or of the page.
func TestLongTextsOfADrawing(t *testing.T) {
	for n, want := range map[int]int{40: 1, 41: 1, 42: 2} { // of 306 pixels
		s := told()
		s.Lanes[0].Who = "a " + strings.Repeat("b", n-2)
		require.Len(t, s.draw().Columns[0].Who2, want, n)
	}
	for n, want := range map[int]int{90: 1, 91: 2, 92: 2} { // of 670 pixels
		s := told()
		s.Lines[1].Text = strings.Repeat("b", n-2)
		require.Len(t, s.draw().Rows[1].Texts, want, n)
	}
}

func TestLinesOfADrawing(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "abcdefghij": "abcdefghij", "abcdefghijk": "abcdefghij|k", "abcd efghi": "abcd efghi", "abcde fghij": "abcde|fghij",
		"ab abcdefghijkl m": "ab|abcdefghij|kl m", "éééé ééééé": "éééé ééééé",
	} {
		require.Equal(t, want, strings.Join(new(painter).wrap(text, 74), "|"), text)
	}
	require.Equal(t, []string{""}, new(painter).wrap("", 74), "a line for nothing")
	require.Equal(t, []string{"abcdefgh", "i"}, new(painter).wrap("abcdefghi", 1), "eight letters at least")
}

func TestTextOfAnAccount(t *testing.T) {
	require.Equal(t, `  G1  the test
  G2  started by G1 at shop.go:5
  G3  does nothing
      G1  locks mu                    shop.go:3
  1s  *   db: outage
!     G2  waits for mu                  (1 step before)
  2s  G1  unlocks mu, which wakes G2    (2 steps before)
      G2  locks mu
  => assertion: no
`, told().String())
	for n, want := range map[int]string{5: "  G4  d\n  G5  e\n", 6: "  G4  d\n  and 2 more\n"} {
		s := told()
		s.Lanes = []Lane{{"G1", "a"}, {"G2", "b"}, {"G3", "c"}, {"G4", "d"}, {"G5", "e"}, {"G6", "f"}}[:n]
		require.Contains(t, s.String(), "  G3  c\n"+want+"      G1", n)
	}
	s := &Story{Failure: &explore.Failure{Kind: "deadlock", Text: "no"}, Lanes: []Lane{{"G1", "a"}}, Cycle: []string{"x", "y"}, Ends: []string{"z"}}
	for range 40 {
		s.Lines = append(s.Lines, Line{Text: "steps", Left: 1})
	}
	text := s.String()
	require.Equal(t, MostLines, strings.Count(text, "\n"))
	require.Contains(t, text, "  G1  a\n  G1  steps    (31 steps before)\n  G1  steps    (1 step before)\n", "the first has all those before it")
	require.True(t, strings.HasSuffix(text, "  in a circle: x\n  in a circle: y\n  at the end: z\n  => deadlock: no\n"))
	long := strings.Repeat("é", most)
	require.Equal(t, long, cut(long))
	require.Equal(t, strings.Repeat("é", most-1)+"…", cut(long+"e"))
}

func TestLinesOfAFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "a.go")
	require.NoError(t, os.WriteFile(name, []byte("one\ntwo"), 0o600))
	source := Sources()
	for line, want := range map[int]string{-1: "", 0: "", 1: "one", 2: "two", 3: ""} {
		require.Equal(t, want, source(name, line), line)
	}
	require.Empty(t, source(name+".none", 2))
}

// The account has room for what is beside its lines, and a fault stands behind what happened at its instant.
func TestRoomOfAnAccount(t *testing.T) {
	var steps []ordered.Step
	for n := range uint64(100) {
		s := does(ordered.StepPoint, 7+n%2, site.Write, 0x10, n, 2, "c.total")
		s.At = time.Duration(n/50) * time.Second
		steps = append(steps, s)
	}
	in := &inputs.Inputs{Loads: []inputs.Load{{Name: "shop", N: 1, Scale: 0.5}}}
	for n := range 3 {
		in.Faults = append(in.Faults, inputs.Fault{Plan: "p", Name: "db: outage", N: n + 1, At: time.Second})
	}
	failure := &explore.Failure{Kind: "assertion", Text: "no"}
	require.Len(t, Tell("T", failure, steps, nil, source).Lines, MostLines-7)
	s := Tell("T", failure, steps, in, source)
	require.Len(t, s.Lines, MostLines-7-1, "one line for the load, three of the lines are faults")
	require.Equal(t, 100-(MostLines-7-4), s.Left)
	require.LessOrEqual(t, strings.Count(s.String(), "\n"), MostLines)
	last := s.Lines[len(s.Lines)-1]
	require.Equal(t, Fault, last.Lane, "behind all lines of its instant")
}
