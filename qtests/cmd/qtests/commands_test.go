package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/cmd/qtests/internal/find"
	"github.com/go-qtests/qtests/qtests/cmd/qtests/internal/gocmd"
	"github.com/go-qtests/qtests/qtests/internal/share"
)

// outside has the tool use the shared store in this process, and a GOROOT that is not in the module cache.
func outside(t *testing.T) {
	t.Helper()
	for _, name := range []string{"GOFLAGS", "QTESTS_LEAF", "QTESTS_APPLIED"} {
		t.Setenv(name, "")
	}
	t.Setenv("QTESTS_CACHE", shared)
	t.Setenv("GOMODCACHE", filepath.Join(t.TempDir(), "mod"))
}

// here runs the tool in this process.
func here(args ...string) outcome {
	var stdout, stderr bytes.Buffer
	status := (&tool{patches: leaf{}, stdout: &stdout, stderr: &stderr}).run(args)
	return outcome{status, stdout.String(), stderr.String()}
}

// TestWhatTheCommandsRefuse: what is wrong is said once, with the status 1, and what the go command says is not changed.
func TestWhatTheCommandsRefuse(t *testing.T) {
	outside(t)
	none := filepath.Join(t.TempDir(), "none")
	for _, args := range [][]string{{"env", "-C", none}, {"doctor", "-C", none}, {"test", "-C", none}, {"find", "-C", none}} {
		got := here(args...)
		require.Equal(t, 1, got.status, args)
		require.Empty(t, got.stdout)
		require.Regexp(t, `^go: chdir .*none.*\n$`, got.stderr)
	}
	dir := module(t, map[string]string{"m_test.go": isLeaf, "other/other.go": "package other\n"})
	for _, args := range [][]string{{"test", "-points", "-C", dir, "./none"}, {"find", "-C", dir, "./none"}, {"find", "-points=false", "-C", dir, "./none"}} {
		got := here(args...)
		require.Equal(t, 1, got.status, args)
		require.Empty(t, got.stdout)
		require.Contains(t, withoutOurs(got.stderr), "none: directory not found", args)
	}
	got := here("find", "-points=false", "-C", dir, "./other")
	require.Equal(t, outcome{1, "", "qtests: no test that -run names opens a bubble with qtests.Run: there is nothing to search\n"}, got)
	for _, args := range [][]string{{"help"}, {"env", "-C", dir}, {"doctor", "-C", dir}} {
		var stderr bytes.Buffer
		require.Equal(t, 1, (&tool{patches: leaf{}, stdout: full{}, stderr: &stderr}).run(args))
		require.Equal(t, "qtests: full\n", stderr.String())
	}
	t.Setenv("QTESTS_CACHE", filepath.Join(dir, "go.mod", "store"))
	for _, args := range [][]string{{"env", "-C", dir}, {"test", "-C", dir}, {"find", "-C", dir}} {
		require.Regexp(t, `^qtests: cannot write to the cache `, here(args...).stderr, args)
	}
	for _, name := range []string{"TMPDIR", "TMP", "TEMP"} {
		t.Setenv(name, filepath.Join(dir, "go.mod"))
	}
	require.Regexp(t, `^qtests: mkdir .*\n$`, here("find", "-C", dir).stderr)
}

// TestCompileForASearch: each test of each package with tests is a target.
func TestCompileForASearch(t *testing.T) {
	outside(t)
	dir := module(t, map[string]string{
		"a/a.go": "package a\n", "a/a_test.go": "package a\n\nimport \"testing\"\n\nfunc TestA(t *testing.T) {}\n\nfunc TestB(t *testing.T) {}\n",
		"a/x_test.go": "package a_test\n",
		"b/b_test.go": "package b_test\n\nimport \"testing\"\n\nfunc TestA(t *testing.T) {}\n",
		"c/c.go":      "package c\n",
	})
	d, err := (&tool{patches: leaf{}, stderr: new(bytes.Buffer)}).parseFind([]string{"-C", dir, "-run=TestA/x", "./..."})
	require.NoError(t, err)
	d.temp = t.TempDir()
	targets, env, err := d.compile(t.Context())
	require.NoError(t, err)
	require.NotEmpty(t, env)
	var want []find.Target
	for i, pkg := range []string{"a", "b"} {
		want = append(want, find.Target{
			Binary: filepath.Join(d.temp, string(rune('0'+i))+".test"), Dir: filepath.Join(dir, pkg), Package: "example.com/m/" + pkg, Name: "TestA", Pattern: "^TestA$/x",
		})
	}
	require.Equal(t, want, targets)
	for _, target := range targets {
		require.FileExists(t, target.Binary)
	}
	put(t, filepath.Join(dir, "a", "a_test.go"), "package a\n\nimport \"testing\"\n\nfunc TestA(t *testing.T) { nowhere() }\n")
	_, _, err = d.compile(t.Context())
	failed := new(gocmd.Failed)
	require.ErrorAs(t, err, &failed)
	require.Contains(t, string(failed.Output), "undefined: nowhere")
}

// TestPointsAreLaidOver: the texts with points take the place of the files, but for what the user's own overlay replaces.
func TestPointsAreLaidOver(t *testing.T) {
	outside(t)
	dir := module(t, map[string]string{
		"a/a.go": "package a\n\nvar V int\n\nfunc Set() { V = 1 }\n", "b/b.go": "package b\n\nvar V int\n\nfunc Set() { V = 1 }\n", "c/c.go": "package c\n",
		"b.txt": "package b\n\nvar V int\n\nfunc Set() { V = 2 }\n", "mine.json": `{"Replace": {"b/b.go": "b.txt"}}`,
	})
	made := &tool{patches: leaf{}, stderr: new(bytes.Buffer)}
	flags := gocmd.TestFlags{Chdir: dir, Overlay: "mine.json", HasOverlay: true, NoBuild: true}
	o, err := made.prepareUntil(t.Context(), flags)
	require.NoError(t, err)
	replaced := func() (names []string) {
		text, err := os.ReadFile(o.file)
		require.NoError(t, err)
		var all struct{ Replace map[string]string }
		require.NoError(t, json.Unmarshal(text, &all))
		for name, by := range all.Replace {
			if rel, ok := strings.CutPrefix(name, dir+string(filepath.Separator)); ok {
				names = append(names, filepath.ToSlash(rel))
				require.Equal(t, rel != filepath.Join("b", "b.go"), strings.HasPrefix(by, shared), by)
			}
		}
		slices.Sort(names)
		return names
	}
	require.Equal(t, []string{"b/b.go"}, replaced())
	before := o.file
	require.NoError(t, made.withPoints(t.Context(), o, flags, []string{"./c"}))
	require.Equal(t, before, o.file, "nothing there has points")
	require.NoError(t, made.withPoints(t.Context(), o, flags, []string{"./..."}))
	require.Equal(t, []string{"a/a.go", "a/zz_qtests_points.go", "b/b.go"}, replaced())
	o.theirs = "none.json"
	require.ErrorIs(t, made.withPoints(t.Context(), o, flags, []string{"./..."}), os.ErrNotExist)
}

// TestOverlayThatNobodyHasUsed: to print the variables compiles nothing.
func TestOverlayThatNobodyHasUsed(t *testing.T) {
	outside(t)
	store := filepath.Join(t.TempDir(), "store")
	t.Setenv("QTESTS_CACHE", store)
	dir := module(t, nil)
	env := here("env", "-C", dir)
	require.Equal(t, 0, env.status, env.stderr)
	require.Regexp(t, `^GOFLAGS=(\S+ )*-overlay=`+regexp.QuoteMeta(store)+`/overlay/\S+/overlay\.json\n$`, env.stdout)
	require.Empty(t, env.stderr)
	doctor := here("doctor", "-C", dir)
	require.Equal(t, 0, doctor.status, doctor.stderr)
	require.Regexp(t, `\noverlay   `+regexp.QuoteMeta(store)+`/overlay/\S+/overlay\.json\n(.*\n)compiled  not yet; the first test compiles the standard library, once\n$`, doctor.stdout)
}

func TestFlagsThatAreOurs(t *testing.T) {
	for line, want := range map[string]bool{"-points -v": true, "--points -v": true, "-v": false, "": false, "-v -points": false, "-point": false} {
		args := strings.Fields(line)
		rest, points := cutPoints(args)
		require.Equal(t, want, points, line)
		if points {
			args = args[1:]
		}
		require.Equal(t, args, rest)
	}
	for _, c := range []struct{ args, goflags, want string }{
		{"", "", ""}, {"", "-v -overlay=a", "a"}, {"-overlay=b", "-overlay=a", "b"}, {"-overlay=", "-overlay=a", ""}, {"", "-overlay=a '", ""},
	} {
		require.Equal(t, c.want, theirs(gocmd.ParseTest(strings.Fields(c.args)), c.goflags), c)
	}
}

// TestMergeOfParts: what the parts of a sweep have left is put together, and judged.
func TestMergeOfParts(t *testing.T) {
	parts := func(failed ...uint64) (dir string) {
		dir = filepath.Join(t.TempDir(), "results")
		for i := 1; i <= 2; i++ {
			mine := share.Share{Index: i, Of: 2}
			room, err := mine.Open(dir, "TestX", t.TempDir())
			require.NoError(t, err)
			room.Dir = filepath.Join(dir, "TestX")
			require.NoError(t, os.MkdirAll(room.Dir, 0o755))
			s := share.Sweep{Version: share.SweepVersion, Test: "TestX", Index: i, Of: 2, First: 1, Seeds: 4, Ran: 2, Failed: []uint64{}}
			for _, seed := range failed {
				if mine.Takes(int64(seed)) {
					s.Failed = append(s.Failed, seed)
				}
			}
			require.NoError(t, s.Write(room))
		}
		return dir
	}
	dir := parts()
	got := here("merge", "-C", filepath.Dir(dir), "results")
	require.Equal(t, 0, got.status, got.stdout+got.stderr)
	require.Contains(t, got.stdout, "1 run put together, 0 failed\n")
	require.Equal(t, "qtests: the reports are in "+filepath.Join(dir, "merged")+"\n", got.stderr)
	require.FileExists(t, filepath.Join(dir, "merged", "summary.txt"))

	dir, out := parts(3), t.TempDir()
	got = here("merge", "-o", filepath.Join(out, "new"), dir)
	require.Equal(t, 1, got.status)
	require.Contains(t, got.stdout, "1 run put together, 1 failed\n")
	require.FileExists(t, filepath.Join(out, "new", "junit.xml"))
	require.NoDirExists(t, filepath.Join(dir, "merged"))

	put(t, filepath.Join(out, "file"), "")
	got = here("merge", "-o", filepath.Join(out, "file"), dir)
	require.Equal(t, 1, got.status)
	require.Empty(t, got.stdout)
	require.Regexp(t, `^qtests: merge: .*file`, got.stderr)
	var stderr bytes.Buffer
	require.Equal(t, 1, (&tool{stdout: full{}, stderr: &stderr}).run([]string{"merge", "-o", out, dir}))
	require.Equal(t, "qtests: full\n", stderr.String())
}
