package qtests_test

import (
	"archive/zip"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
)

const (
	ownModule      = "github.com/go-qtests/qtests"
	outsideVersion = "v0.0.0-test"
)

// TestOutside is a user: in a module of its own, which gets this one as a download, it runs
// the README's first test, on the stock runtime and on the ordered one. The download comes
// from a proxy of files that is made of the working tree, and what it depends on from the
// module cache, so that no network is needed.
func TestOutside(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		if q.Order().Runtime || withRaceDetector() {
			q.Skip("the user's tests run in processes of their own, which go test . starts as well")
		}
	})
	if os.Getenv("QTESTS_GATE") == "" {
		t.Skip("QTESTS_GATE=1 runs it, as .ci/run does: it compiles this module as a download")
	}
	u := newUser(t)
	u.put("go.mod", "module example.org/mine\n\ngo 1.26\n")
	u.put("first_test.go", firstTest(t))
	u.run("go", "get", ownModule+"@"+outsideVersion)
	require.Contains(t, u.run("go", "test", "-v", "."), "--- PASS: TestNextWeek")
	u.put("first_test.go", strings.Replace(firstTest(t), `func() { reminder <- "pay the rent" }`, "func() {}", 1))
	require.Contains(t, u.fail("go", "test", "."), "--- FAIL: TestNextWeek")
	u.put("first_test.go", firstTest(t))
	if testing.Short() {
		t.Skip("the ordered runtime compiles the standard library")
	}
	u.run("go", "get", "-tool", ownModule+"/qtests/cmd/qtests@"+outsideVersion)
	require.Contains(t, u.run("go", "tool", "qtests", "doctor"), "go1.")
	require.Contains(t, u.run("go", "tool", "qtests", "test", "-v", "."), "--- PASS: TestNextWeek")
}

func withRaceDetector() bool {
	info, ok := debug.ReadBuildInfo()
	return ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"})
}

// firstTest returns the README's first block.
func firstTest(t *testing.T) string {
	t.Helper()
	block := regexp.MustCompile("(?ms)^```go\n(.*?)^```$").FindStringSubmatch(readFile(t, "README.md"))
	require.NotNil(t, block)
	require.LessOrEqual(t, strings.Count(block[1], "\n"), 15, "lines of the first test")
	require.Contains(t, block[1], "package ", "it can be pasted as it is")
	return block[1]
}

// A user is a module outside this one, with a module cache of its own.
type user struct {
	t   *testing.T
	dir string
	env []string
}

func newUser(t *testing.T) *user {
	t.Helper()
	cache, err := exec.Command("go", "env", "GOMODCACHE").Output()
	require.NoError(t, err)
	proxy := t.TempDir()
	publish(t, proxy)
	own := []string{
		"GOPROXY=" + fileURL(proxy) + "," + fileURL(filepath.Join(strings.TrimSpace(string(cache)), "cache", "download")),
		"GOMODCACHE=" + t.TempDir(),
		"GOFLAGS=-mod=mod -modcacherw -trimpath", // trimmed paths let the build cache serve every run
		"GONOSUMDB=*", "GOSUMDB=off", "GONOPROXY=none", "GOPRIVATE=", "GOWORK=off", "GOTOOLCHAIN=local", "PWD=",
	}
	env := slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "QTESTS_") })
	return &user{t: t, dir: t.TempDir(), env: append(env, own...)}
}

func (u *user) put(name, text string) {
	u.t.Helper()
	require.NoError(u.t, os.WriteFile(filepath.Join(u.dir, name), []byte(text), 0o644))
}

// run runs a command that must succeed, and returns what it printed.
func (u *user) run(command ...string) string {
	u.t.Helper()
	out, err := u.try(command)
	require.NoError(u.t, err, "%v:\n%s", command, out)
	return out
}

// fail runs a command that must not succeed, and returns what it printed.
func (u *user) fail(command ...string) string {
	u.t.Helper()
	out, err := u.try(command)
	require.Error(u.t, err, "%v:\n%s", command, out)
	return out
}

func (u *user) try(command []string) (string, error) {
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Dir, cmd.Env = u.dir, u.env
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func fileURL(dir string) string {
	dir = filepath.ToSlash(dir)
	if !strings.HasPrefix(dir, "/") { // a drive of Windows
		dir = "/" + dir
	}
	return "file://" + dir
}

// publish writes this module into a proxy of files.
func publish(t *testing.T, proxy string) {
	t.Helper()
	dir := filepath.Join(proxy, filepath.FromSlash(ownModule), "@v")
	require.NoError(t, os.MkdirAll(dir, 0o755))
	put := func(ext, text string) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, outsideVersion+ext), []byte(text), 0o644))
	}
	put(".info", `{"Version":"`+outsideVersion+`","Time":"2026-01-01T00:00:00Z"}`)
	put(".mod", readFile(t, "go.mod"))
	f, err := os.Create(filepath.Join(dir, outsideVersion+".zip"))
	require.NoError(t, err)
	defer func() { require.NoError(t, f.Close()) }()
	w := zip.NewWriter(f)
	require.NoError(t, filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && name != "." && (strings.HasPrefix(d.Name(), ".") || isModule(name) || d.Name() == "_artifacts"):
			return fs.SkipDir
		case !d.Type().IsRegular():
			return nil
		}
		return pack(w, name)
	}))
	require.NoError(t, w.Close())
}

func isModule(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, "go.mod"))
	return err == nil
}

// pack adds a file to the zip of the module.
func pack(w *zip.Writer, name string) error {
	from, err := os.Open(name)
	if err != nil {
		return err
	}
	defer func() { _ = from.Close() }()
	to, err := w.Create(ownModule + "@" + outsideVersion + "/" + filepath.ToSlash(name))
	if err != nil {
		return err
	}
	_, err = io.Copy(to, from)
	return err
}
