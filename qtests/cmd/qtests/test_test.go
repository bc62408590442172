package main

import (
	"cmp"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// many is a module in which everything happens that go test can say.
func many(t *testing.T) string {
	t.Helper()
	return module(t, map[string]string{
		"ok/ok_test.go":         "package ok\n\nimport \"testing\"\n\nfunc TestOK(t *testing.T) { println(\"on stderr\") }\nfunc TestOther(t *testing.T) {}\n",
		"bad/bad_test.go":       "package bad\n\nimport \"testing\"\n\nfunc TestBad(t *testing.T) { t.Error(\"bad\") }\n",
		"broken/broken_test.go": "package broken\n\nfunc TestBroken(t *testing.T) {}\n",
		"vet/vet_test.go":       "package vet\n\nimport (\n\t\"fmt\"\n\t\"testing\"\n)\n\nfunc TestVet(t *testing.T) { fmt.Printf(\"%d\", \"x\") }\n",
	})
}

// TestIsGoTest holds the tool to the go command: the same status and the same output.
func TestIsGoTest(t *testing.T) {
	inGate(t)
	dir := many(t)
	outside := t.TempDir()
	put(t, filepath.Join(outside, "go.mod"), "module m\n\ngo 1.26\n\nnonsense\n")
	for _, c := range []struct {
		dir, args string
		status    int
	}{
		{dir, "./ok -count=1", 0},
		{dir, "-C ok -v -run OK -count=1", 0},
		{dir, "./... -count=1 -p=1", 1},
		{dir, "./ok ./bad -json -count=1 -p=1", 1},
		{dir, "./none", 1},
		{dir, "./ok -count=x", 2},
		{dir, "./ok -run", 2},
		{dir, "./ok -C bad", 2},
		{dir, "-C none ./ok", 1},
		{dir, "-h", 2},
		{dir, "./ok -mine -c", 2},
		{dir, "./vet -vet=off -count=1", 0},
		{dir, "./ok -list . -exec env", 0},
		{dir, "./ok -count=1 -args -- -overlay=x", 0},
		{filepath.Dir(dir), "./...", 1}, // no go.mod
		{outside, ".", 1},               // a go.mod that cannot be read
	} {
		want := at(c.dir).gocmd(t, append([]string{"test"}, strings.Fields(c.args)...)...)
		require.Equal(t, c.status, want.status, "%s:\n%s%s", c.args, want.stdout, want.stderr)
		got := at(c.dir).qtests(t, append([]string{"test"}, strings.Fields(c.args)...)...)
		got.stderr = withoutOurs(got.stderr)
		sameAs(t, want, got, c.args)
	}
}

// withoutOurs drops what the tool says of itself.
func withoutOurs(stderr string) string {
	var kept strings.Builder
	for line := range strings.Lines(stderr) {
		if !strings.HasPrefix(line, "qtests: ") {
			kept.WriteString(line)
		}
	}
	return kept.String()
}

// TestResultsAreCached also sees that the change is in, and that the flags of the go
// command do what they do.
func TestResultsAreCached(t *testing.T) {
	inPlainRun(t)
	p := at(module(t, map[string]string{"m_test.go": isLeaf, "m.go": "package m\n\nfunc F() int { return 1 }\n"}), "QTESTS_LEAF=cached")
	first := p.qtests(t, "test", ".")
	require.Equal(t, 0, first.status, first.stderr)
	require.NotContains(t, first.stdout, "(cached)")
	second := p.qtests(t, "test", ".")
	require.Contains(t, second.stdout, "(cached)")
	require.Empty(t, second.stderr, "nothing is compiled, and nothing is said")

	covered := p.qtests(t, "test", "-cover", "-v")
	require.Equal(t, 0, covered.status, covered.stderr)
	require.Contains(t, covered.stdout, "leaf cached true\n")
	require.Contains(t, covered.stdout, "coverage: 0.0% of statements")

	made := p.qtests(t, "test", "-c", "-o", "made.test")
	require.Equal(t, outcome{}, made)
	run := finish(t, p.command(filepath.Join(p.dir, "made.test"), "", "-test.v"))
	require.Equal(t, 0, run.status)
	require.Contains(t, run.stdout, "leaf cached true\n")
}

// TestCompilesOnce has ten processes begin at once, with an empty store, so that
// a part of the standard library is to be compiled.
func TestCompilesOnce(t *testing.T) {
	inPlainRun(t)
	t.Parallel()
	temp := t.TempDir()
	applied := filepath.Join(temp, "applied")
	p := program{dir: module(t, map[string]string{"m_test.go": isLeaf}), env: []string{
		"QTESTS_CACHE=" + filepath.Join(temp, "store"), "QTESTS_APPLIED=" + applied, "QTESTS_LEAF=" + temp,
	}}
	outcomes := make([]outcome, 10)
	var group sync.WaitGroup
	for i := range outcomes {
		group.Go(func() { outcomes[i] = p.qtests(t, "test", "-json", "-v", ".") })
	}
	group.Wait()
	said := 0
	for _, o := range outcomes {
		require.Equal(t, 0, o.status, o.stdout+o.stderr)
		require.Contains(t, o.stdout, "leaf "+temp+" true")
		for line := range strings.Lines(o.stdout) {
			require.True(t, json.Valid([]byte(line)), line)
		}
		said += strings.Count(o.stderr, "qtests: compiling the standard library of go1.")
		require.Empty(t, withoutOurs(o.stderr))
	}
	require.Equal(t, 1, said)
	once, err := os.ReadFile(applied)
	require.NoError(t, err)
	require.Equal(t, "x", string(once))
	entries, err := os.ReadDir(filepath.Join(temp, "store"))
	require.NoError(t, err)
	for _, e := range entries {
		require.Contains(t, []string{"overlay", "goroot"}, e.Name(), "no lock and no temporary file stays")
	}
}

func TestRace(t *testing.T) {
	inGate(t)
	p := at(module(t, map[string]string{"m_test.go": `package m

import (
	"container/ring"
	"testing"
)

func TestRace(t *testing.T) {
	n, done := 0, make(chan bool)
	go func() { n++; close(done) }()
	n++
	<-done
	t.Log(ring.Leaf, n)
}
`}))
	got := p.qtests(t, "test", "-race", "-count=1")
	if strings.Contains(got.stderr, "-race requires cgo") || strings.Contains(got.stderr, "-race is not supported") {
		t.Skip(got.stderr)
	}
	require.Equal(t, 1, got.status, got.stdout+got.stderr)
	require.Contains(t, got.stdout, "race detected during execution of test", got.stderr)
	doctor := p.qtests(t, "doctor")
	require.Regexp(t, `compiled  \w+/\w+ -race=true, in `, doctor.stdout)
}

func TestOverlayOfTheUser(t *testing.T) {
	inPlainRun(t)
	dir := module(t, map[string]string{
		"m_test.go": "package m\n\nimport (\n\t\"container/ring\"\n\t\"testing\"\n)\n\nfunc TestMine(t *testing.T) { t.Log(ring.Added, mine) }\n",
		"mine.json": `{"Replace": {"mine.go": "other.txt"}}`,
		"other.txt": "package m\n\nconst mine = \"mine, too\"\n",
	})
	p := at(dir)
	for _, args := range [][]string{{"-overlay", "mine.json"}, {"-overlay=none.json", "--overlay=" + filepath.Join(dir, "mine.json")}} {
		got := p.qtests(t, append([]string{"test", "-v", "-count=1"}, args...)...)
		require.Equal(t, 0, got.status, got.stdout+got.stderr)
		require.Contains(t, got.stdout, "true mine, too\n")
	}
	got := at(dir, "GOFLAGS=-overlay=mine.json -v", "PWD="+dir).qtests(t, "test", "-count=1")
	require.Contains(t, got.stdout, "true mine, too\n", "GOFLAGS is heeded, whole")
	got = at(filepath.Dir(dir), "GOFLAGS=-overlay=mine.json").qtests(t, "test", "-C", filepath.Base(dir), "-v", "-count=1")
	require.Contains(t, got.stdout, "true mine, too\n", "names are those of the directory of -C")
	got = at(dir, "GOFLAGS=-overlay=mine.json").qtests(t, "test", "-overlay=", "-count=1")
	require.Equal(t, 1, got.status)
	require.Contains(t, got.stdout+got.stderr, "undefined: mine", "the flag wins over GOFLAGS")

	var vars map[string]string
	require.NoError(t, json.Unmarshal([]byte(p.qtests(t, "env", "-json").stdout), &vars))
	ours := filepath.Join(cmp.Or(vars["GOROOT"], goroot(t)), "src", filepath.FromSlash(leafFile))
	theirs, err := json.Marshal(map[string]any{"Replace": map[string]string{ours: "other.txt"}})
	require.NoError(t, err)
	put(t, filepath.Join(dir, "theirs.json"), string(theirs))
	conflict := p.qtests(t, "test", "-overlay=theirs.json")
	require.Equal(t, outcome{1, "", "qtests: the overlay " + filepath.Join(dir, "theirs.json") + ": it replaces " + ours +
		", which the ordered runtime replaces, too: leave one of the two away\n"}, conflict)
	none := p.qtests(t, "test", "-overlay=none.json")
	require.Equal(t, 1, none.status)
	require.Contains(t, none.stderr, "qtests: reading overlay: open "+filepath.Join(dir, "none.json"))
}

func goroot(t *testing.T) string {
	t.Helper()
	return strings.TrimSpace(program{}.gocmd(t, "env", "GOROOT").stdout)
}

func TestGoThatDoesNotFit(t *testing.T) {
	temp := t.TempDir()
	other := otherGOROOT(t, filepath.Join(temp, "go"), leafFile, "package ring\n\nfunc Newer() {}\n")
	p := program{dir: many(t), env: []string{"GOROOT=" + other, "QTESTS_CACHE=" + filepath.Join(temp, "store")}}
	version := strings.TrimSpace(p.gocmd(t, "env", "GOVERSION").stdout)
	misfit := "the ordered runtime does not fit " + version + ": " + leafFile + ": func New: none fits"
	require.Equal(t, outcome{1, "", "qtests: " + misfit + "\n"}, p.qtests(t, "test", "./ok"))
	require.Equal(t, outcome{1, "", "qtests: " + misfit + "\n"}, p.qtests(t, "env"))
	doctor := p.qtests(t, "doctor")
	require.Equal(t, 1, doctor.status)
	require.Contains(t, doctor.stdout, "changes   do not fit: "+misfit+"\n  misfit  "+leafFile+":36  func New: none fits\n")
	require.NoDirExists(t, filepath.Join(temp, "store"))
}

func TestStoreThatCannotBeWritten(t *testing.T) {
	dir := many(t)
	store := filepath.Join(dir, "go.mod", "store") // a file is in the way
	got := program{dir: dir, env: []string{"QTESTS_CACHE=" + store}}.qtests(t, "test", "./ok")
	require.Equal(t, 1, got.status)
	require.Regexp(t, `^qtests: cannot write to the cache .* \(QTESTS_CACHE can name another directory\): .*\n$`, got.stderr)
}
