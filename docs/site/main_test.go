package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestWrite writes the pages of all packages.
func TestWrite(t *testing.T) {
	dir := t.TempDir()
	t.Chdir("../..")
	require.NoError(t, write(dir))
	read := func(name string) string {
		text, err := os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err)
		return string(text)
	}
	load := read("qtests-load.md")
	require.Contains(t, load, "# qtests/load\n")
	require.Contains(t, load, "### func Run {#Run}\n")
	require.Contains(t, load, "[Scenario.FailWhenSlow](#Scenario.FailWhenSlow)")
	require.Contains(t, load, "Example:\n")
	require.Contains(t, read("_index.md"), "| [qtests/breaker](qtests-breaker.html) | Package breaker")
	require.Error(t, write("/dev/null/none"))
	t.Chdir(dir)
	require.ErrorContains(t, write(dir), "run it at the root of the repository")
}
