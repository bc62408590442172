package gocmd

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestQuotesOfNothing(t *testing.T) {
	for text, want := range map[string][]string{"": nil, " \t": nil, `''`: {""}, `"" -v`: {"", "-v"}, `-v`: {"-v"}, `'a b'-c d`: {"a b", "-c", "d"}, `-v '-x y'`: {"-v", "-x y"}} {
		got, err := SplitGOFLAGS(text)
		require.NoError(t, err, text)
		require.Equal(t, want, got, text)
	}
	for _, bad := range []string{`'`, `-v "a`} {
		_, err := SplitGOFLAGS(bad)
		require.ErrorContains(t, err, "unterminated")
	}
}

// A Go in a copy of its GOROOT is the first of the PATH, and changes nothing of the one it came from.
func TestGoAtAnotherPlace(t *testing.T) {
	root := filepath.Join(t.TempDir(), "go")
	g := &Go{Path: "/go/bin/go", Chdir: "sub", Env: []string{"A=1"}, settings: map[string]string{"GOROOT": "/go", "GOVERSION": "go1.26"}}
	cmd := g.Command(t.Context(), "env", "-json")
	require.Equal(t, []string{"/go/bin/go", "env", "-C", "sub", "-json"}, cmd.Args)
	require.Equal(t, []string{"A=1"}, cmd.Env)
	at := g.At(root)
	require.Equal(t, filepath.Join(root, "bin", "go"), at.Path)
	require.Equal(t, root, at.Setting("GOROOT"))
	require.Equal(t, "/go", g.Setting("GOROOT"))
	require.Len(t, g.Env, 1)
	require.Contains(t, at.Env, "GOTOOLCHAIN=local")
	for path, want := range map[string]string{"": "", "/bin": string(filepath.ListSeparator) + "/bin"} {
		t.Setenv("PATH", path)
		require.Equal(t, [2]string{"PATH", filepath.Join(root, "bin") + want}, Moved(root)[2])
	}
	g.Chdir = ""
	require.Equal(t, []string{"/go/bin/go", "list"}, g.Command(t.Context(), "list").Args)
	_, err := g.Output(t.Context(), "list")
	require.ErrorContains(t, err, "/go/bin/go list: ")
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestModuleCache(t *testing.T) {
	in := func(root, cache string) bool {
		return (&Go{settings: map[string]string{"GOROOT": root, "GOMODCACHE": cache}}).InModuleCache()
	}
	cache := filepath.FromSlash("/home/mod")
	require.True(t, in(filepath.Join(cache, "toolchain"), cache))
	require.False(t, in(cache+"ern", cache))
	require.False(t, in(cache, cache))
	require.False(t, in("toolchain", ""))
	require.True(t, in(filepath.FromSlash("/go"), filepath.FromSlash("/")))
}

// The go command of the PATH is asked, in a directory.
func TestFind(t *testing.T) {
	g, err := Find(t.Context(), "")
	require.NoError(t, err)
	require.True(t, filepath.IsAbs(g.Path))
	require.NotEmpty(t, g.Setting("GOROOT"))
	require.Regexp(t, "^go1|devel", g.Setting("GOVERSION"))
	require.Contains(t, g.Building(), "GOOS="+g.Setting("GOOS"))
	_, err = Find(t.Context(), filepath.Join(t.TempDir(), "none"))
	var failed *Failed
	require.ErrorAs(t, err, &failed)
	t.Setenv("PATH", "")
	_, err = Find(t.Context(), "")
	require.ErrorContains(t, err, "the go command is not on the PATH: ")
}
