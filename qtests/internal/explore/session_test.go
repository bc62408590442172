package explore

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// What a process is told to do, and what it tells, goes through two files.
func TestSessions(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "session")
	want := &Session{Results: filepath.Join(dir, "results"), From: 3, To: 9, Stride: 2, Explore: For(2, 1), Next: map[string]uint64{"TestX": 5}}
	data, err := json.Marshal(want)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(name, data, 0o600))
	s, results, err := open(name)
	require.NoError(t, err)
	require.Equal(t, want, s)
	before := current.results
	t.Cleanup(func() { current.results = before })
	current.results = results
	told := []Result{{Test: "TestX", Seed: 5}, {Test: "TestX", Seed: 5, Over: true, Steps: 7, Failure: &Failure{Kind: "leak", Text: "2 goroutines"}}}
	for _, r := range told {
		s.Tell(r)
	}
	require.NoError(t, results.Close())
	text, err := os.ReadFile(want.Results)
	require.NoError(t, err)
	lines := strings.Split(string(text), "\n")
	require.Len(t, lines, 3)
	require.Empty(t, lines[2])
	for i, r := range told {
		var got Result
		require.NoError(t, json.Unmarshal([]byte(lines[i]), &got))
		require.Equal(t, r, got)
	}
	func() {
		defer func() { require.Contains(t, recover(), "qtests: the results of a search: ") }()
		s.Tell(told[0])
	}()
}

func TestSessionsThatCannotBeRead(t *testing.T) {
	dir := t.TempDir()
	for text, want := range map[string]string{"{": "JSON", `{"Results": ` + `"` + filepath.ToSlash(filepath.Join(dir, "none", "results")) + `"}`: "none"} {
		name := filepath.Join(dir, "session")
		require.NoError(t, os.WriteFile(name, []byte(text), 0o600))
		_, _, err := open(name)
		require.ErrorContains(t, err, want)
	}
	_, _, err := open(filepath.Join(dir, "other"))
	require.ErrorIs(t, err, os.ErrNotExist)
}

// A process that no search has started has none.
func TestNoSession(t *testing.T) {
	if os.Getenv(SessionVar) != "" {
		t.Skip("a search runs this test")
	}
	require.Nil(t, Current())
}
