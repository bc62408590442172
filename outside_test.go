package qtests_test

import (
	"archive/zip"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
)

const ownModule = "github.com/go-qtests/qtests"

// nextVersion is what the modules beside this one require of it: the version with which all of
// them are released.
func nextVersion(t *testing.T) string {
	t.Helper()
	required := regexp.MustCompile(`(?m)^\s*` + ownModule + ` (v\S+)$`)
	version := ""
	for _, dir := range []string{"promql", "hpa", "pgwire", "bench", "realworld", "realworld/services"} {
		found := required.FindStringSubmatch(readFile(t, dir+"/go.mod"))
		require.NotNil(t, found, dir)
		if version == "" {
			version = found[1]
		}
		require.Equal(t, version, found[1], "%s requires another version than promql", dir)
	}
	return version
}

// TestOutside is a user: in a module of its own, which gets this one as a download, it runs
// the README's first test, on the stock runtime and on the ordered one. The download comes
// from a proxy of files that is made of the working tree, and what it depends on from the
// module cache, so that hardly anything comes by the network.
func TestOutside(t *testing.T) {
	inGate(t)
	u := newUser(t)
	u.put("go.mod", "module example.org/mine\n\ngo 1.26\n")
	u.put("first_test.go", firstTest(t))
	u.run("go", "get", ownModule+"@"+u.version)
	require.Contains(t, u.run("go", "test", "-v", "."), "--- PASS: TestNextWeek")
	u.put("first_test.go", strings.Replace(firstTest(t), `func() { reminder <- "pay the rent" }`, "func() {}", 1))
	require.Contains(t, u.fail("go", "test", "."), "--- FAIL: TestNextWeek")
	u.put("first_test.go", firstTest(t))
	if testing.Short() {
		t.Skip("the ordered runtime compiles the standard library")
	}
	u.run("go", "get", "-tool", ownModule+"/qtests/cmd/qtests@"+u.version)
	require.Contains(t, u.run("go", "tool", "qtests", "doctor"), "go1.")
	require.Contains(t, u.run("go", "tool", "qtests", "test", "-v", "."), "--- PASS: TestNextWeek")
}

// TestModulesOutside gets each of the modules for users that stand beside this one, and nothing
// else: it finds the version of this one that it needs, without the replace of its go.mod, and
// all packages resolve. To compile them takes minutes where they are not cached yet; with
// QTESTS_STRESS a test that uses them runs as well.
func TestModulesOutside(t *testing.T) {
	inGate(t)
	if testing.Short() {
		t.Skip("reads the packages of Prometheus and Kubernetes")
	}
	for module, uses := range map[string]string{
		"promql": `_, err := promql.NewEngine().Compile("up == 0"); err != nil`,
		"hpa":    `_, err := hpa.ReadFile("none"); err == nil`,
		"pgwire": `server := (*pgwire.Server)(nil); server != nil`,
	} {
		u := newUser(t)
		u.put("go.mod", "module example.org/mine\n\ngo 1.26\n")
		u.run("go", "get", ownModule+"/"+module+"@"+u.version)
		u.run("go", "list", "-deps", ownModule+"/"+module+"/...")
		require.Contains(t, u.run("go", "list", "-m", ownModule), u.version)
		if stressed() {
			u.put("outside_test.go", "package outside\n\nimport (\n\t\"testing\"\n\n\t\""+ownModule+"/"+module+"\"\n)\n\n"+
				"func TestOutside(t *testing.T) {\n\tif "+uses+" {\n\t\tt.Fatal(err)\n\t}\n}\n")
			require.Contains(t, u.run("go", "test", "-v", "."), "--- PASS: TestOutside")
		}
	}
}

// inGate skips a test whose work is done in processes of its own, which the plain go test
// starts as well, and where the gate does not run it: it takes long and seldom breaks.
func inGate(t *testing.T) {
	t.Helper()
	if os.Getenv("QTESTS_GATE") == "" {
		t.Skip("QTESTS_GATE=1 runs it, as .ci/run does: it compiles this module as a download")
	}
	qtests.Run(t, func(q *qtests.T) {
		if q.Order().Runtime || withRaceDetector() {
			q.Skip("the user's tests run in processes of their own, which go test . starts as well")
		}
	})
}

// stressed reports whether the long forms of tests run. Package stress of qtests is not for
// packages outside of it.
func stressed() bool { return os.Getenv("QTESTS_STRESS") != "" }

// judgesText skips a test under the race detector that judges what a run of the quickstart says:
// TestQuickstart has the same run there, and it takes a minute.
func judgesText(t *testing.T) {
	t.Helper()
	if withRaceDetector() {
		t.Skip("TestQuickstart is the same run")
	}
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
	t       *testing.T
	dir     string
	env     []string
	version string // of the modules of this repository
}

func newUser(t *testing.T) *user {
	t.Helper()
	out, err := exec.Command("go", "env", "GOMODCACHE", "GOPROXY").Output()
	require.NoError(t, err)
	cache, others, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	proxy, version := t.TempDir(), nextVersion(t)
	for _, dir := range []string{".", "promql", "hpa", "pgwire"} {
		publish(t, proxy, dir, version)
	}
	own := []string{
		// The cache has what was needed here. What only the choice of versions reads may not be there yet.
		"GOPROXY=" + strings.Join([]string{fileURL(proxy), fileURL(filepath.Join(cache, "cache", "download")), others}, ","),
		"GOMODCACHE=" + linkedCache(t, cache),
		"GOFLAGS=-mod=mod -modcacherw -trimpath", // trimmed paths let the build cache serve every run
		"GONOSUMDB=*", "GOSUMDB=off", "GONOPROXY=none", "GOPRIVATE=", "GOWORK=off", "GOTOOLCHAIN=local", "PWD=",
	}
	env := slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "QTESTS_") })
	return &user{t: t, dir: t.TempDir(), env: append(env, own...), version: version}
}

// linkedCache returns a module cache with links to what is in another one, without the modules
// of this repository. Where there can be no links, the go command fills it.
func linkedCache(t *testing.T, cache string) string {
	t.Helper()
	linked := t.TempDir()
	for _, below := range []string{".", "cache/download", "github.com", "cache/download/github.com"} {
		require.NoError(t, os.MkdirAll(filepath.Join(linked, below), 0o755))
		entries, err := os.ReadDir(filepath.Join(cache, below))
		require.NoError(t, err)
		for _, e := range entries {
			if name := e.Name(); e.IsDir() && name != "cache" && name != "github.com" && name != "go-qtests" {
				_ = os.Symlink(filepath.Join(cache, below, name), filepath.Join(linked, below, name))
			}
		}
	}
	return linked
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

// publish writes the module in dir into a proxy of files.
func publish(t *testing.T, proxy, dir, version string) {
	t.Helper()
	module := path.Join(ownModule, dir)
	at := filepath.Join(proxy, filepath.FromSlash(module), "@v")
	require.NoError(t, os.MkdirAll(at, 0o755))
	put := func(ext, text string) {
		require.NoError(t, os.WriteFile(filepath.Join(at, version+ext), []byte(text), 0o644))
	}
	put(".info", `{"Version":"`+version+`","Time":"2026-01-01T00:00:00Z"}`)
	put(".mod", readFile(t, filepath.Join(dir, "go.mod")))
	f, err := os.Create(filepath.Join(at, version+".zip"))
	require.NoError(t, err)
	defer func() { require.NoError(t, f.Close()) }()
	w := zip.NewWriter(f)
	require.NoError(t, filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && name != dir && (strings.HasPrefix(d.Name(), ".") || isModule(name) || d.Name() == "_artifacts"):
			return fs.SkipDir
		case !d.Type().IsRegular():
			return nil
		}
		within, err := filepath.Rel(dir, name)
		if err != nil {
			return err
		}
		return pack(w, name, module+"@"+version+"/"+filepath.ToSlash(within))
	}))
	require.NoError(t, w.Close())
}

func isModule(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, "go.mod"))
	return err == nil
}

// pack adds a file to the zip of the module.
func pack(w *zip.Writer, name, as string) error {
	from, err := os.Open(name)
	if err != nil {
		return err
	}
	defer func() { _ = from.Close() }()
	to, err := w.Create(as)
	if err != nil {
		return err
	}
	_, err = io.Copy(to, from)
	return err
}
