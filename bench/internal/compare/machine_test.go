package compare

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestThisMachine(t *testing.T) {
	m, err := ThisMachine()
	require.NoError(t, err)
	require.NotEmpty(t, m.CPU)
	require.Positive(t, m.Cores)
}

func TestModelIn(t *testing.T) {
	for _, c := range []struct{ name, cpuinfo, want string }{
		{"a PC", "processor\t: 0\nvendor_id\t: AnyVendor\nmodel\t\t: 1\nmodel name\t: A model: the first\n\nprocessor\t: 1\nmodel name\t: Another\n", "A model: the first"},
		{"no such line", "processor\t: 0\nCPU part\t: 0xd0c\n", "unknown processor"},
		{"nothing", "", "unknown processor"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := modelIn(strings.NewReader(c.cpuinfo))
			require.NoError(t, err)
			require.Equal(t, c.want, got)
		})
	}
}

// TestVersions compares with go.mod, where what is not required directly is marked.
func TestVersions(t *testing.T) {
	versions, err := Versions()
	require.NoError(t, err)
	text, err := os.ReadFile("../../go.mod")
	require.NoError(t, err)
	var want []Version
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(strings.TrimPrefix(strings.TrimSpace(line), "require "))
		if len(fields) == 2 && strings.HasPrefix(fields[1], "v") && !strings.Contains(string(text), "replace "+fields[0]+" ") {
			want = append(want, Version{fields[0], fields[1]})
		}
	}
	require.NotEmpty(t, want)
	require.ElementsMatch(t, want, versions)
}

func TestRevision(t *testing.T) {
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("git is not on this machine")
	}
	for _, variable := range os.Environ() { // of a hook, which names the repository that it is of
		if name, value, _ := strings.Cut(variable, "="); strings.HasPrefix(name, "GIT_") {
			t.Setenv(name, value) // to be what it was in the end
			require.NoError(t, os.Unsetenv(name))
		}
	}
	root := t.TempDir()
	t.Setenv("GIT_CEILING_DIRECTORIES", filepath.Dir(root))
	t.Setenv("GIT_CONFIG_GLOBAL", os.DevNull)
	git := func(args ...string) {
		out, err := exec.Command("git", append([]string{"-c", "user.name=n", "-c", "user.email=e@example.com"}, args...)...).CombinedOutput()
		require.NoError(t, err, "%s", out)
	}
	write := func(file string) { require.NoError(t, os.WriteFile(file, []byte(t.Name()+file), 0o600)) }
	require.NoError(t, os.MkdirAll(filepath.Join(root, "bench"), 0o700))
	t.Chdir(filepath.Join(root, "bench"))
	revision := func() string { return Revision("RESULTS.md", "chart.svg") }
	require.Equal(t, "unknown", revision(), "no checkout")

	git("init", "--quiet", "..")
	write("RESULTS.md")
	write("../code.go")
	git("add", "-A", "..")
	git("commit", "--quiet", "-m", "first")
	require.Regexp(t, `^[0-9a-f]{7,}$`, revision())
	git("tag", "-a", "-m", "a release", "v1.2.3")
	require.Equal(t, "v1.2.3", revision())

	require.NoError(t, os.WriteFile("RESULTS.md", []byte("written anew"), 0o600))
	write("chart.svg")
	require.Equal(t, "v1.2.3", revision(), "what a run writes is no change")
	write("new.go")
	require.Equal(t, "v1.2.3 with uncommitted changes", revision(), "a file that git does not know")
	require.NoError(t, os.Remove("new.go"))
	require.NoError(t, os.WriteFile("../code.go", []byte("changed"), 0o600))
	require.Equal(t, "v1.2.3 with uncommitted changes", revision(), "above the directory, too")

	t.Setenv("PATH", t.TempDir())
	require.Equal(t, "unknown", revision(), "no git")
}
