package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestEnvOfShells(t *testing.T) {
	vars := [][2]string{{"GOFLAGS", `-v '-overlay=/a b/$c\o.json'`}, {"GOROOT", "/it’s"}}
	for shell, want := range map[string]string{
		"":           "GOFLAGS=-v '-overlay=/a b/$c\\o.json'\nGOROOT=/it’s\n",
		"sh":         `export GOFLAGS='-v '\''-overlay=/a b/$c\o.json'\'''` + "\nexport GOROOT='/it’s'\n",
		"fish":       `set -gx GOFLAGS '-v \'-overlay=/a b/$c\\o.json\''` + "\nset -gx GOROOT '/it’s'\n",
		"powershell": `$env:GOFLAGS = '-v ''-overlay=/a b/$c\o.json'''` + "\n$env:GOROOT = '/it’’s'\n",
	} {
		got, err := shells[shell](vars)
		require.NoError(t, err)
		require.Equal(t, want, got, "%q", shell)
	}
	got, err := writeJSON(vars)
	require.NoError(t, err)
	require.JSONEq(t, `{"GOFLAGS": "-v '-overlay=/a b/$c\\o.json'", "GOROOT": "/it’s"}`, got)
	_, err = writePlain([][2]string{{"PATH", "/a\n/b"}})
	require.EqualError(t, err, "env: PATH has more than one line, which -json and -shell can write")
}

// FuzzEnvOfSh: the shell reads what was meant.
func FuzzEnvOfSh(f *testing.F) {
	f.Add("it's $HOME `x` \\ \n\"")
	f.Fuzz(func(t *testing.T, value string) {
		if strings.Contains(value, "\x00") { // no variable can hold it
			return
		}
		text, err := shells["sh"]([][2]string{{"GOFLAGS", value}})
		require.NoError(t, err)
		cmd := exec.Command("sh", "-c", text+`printf '%s.' "$GOFLAGS"`)
		got, err := cmd.Output()
		require.NoError(t, err)
		require.Equal(t, value+".", string(got))
	})
}

func TestEnvTurnsPlainGoTest(t *testing.T) {
	inPlainRun(t)
	dir := module(t, map[string]string{"sub/m_test.go": isLeaf})
	store := filepath.Join(t.TempDir(), "it's a store")
	elsewhere := "GOMODCACHE=" + filepath.Join(t.TempDir(), "mod") // GOROOT is not in it
	p := program{dir: dir, env: []string{"GOFLAGS=-v -mod=mod", "QTESTS_CACHE=" + store, elsewhere}}
	sh := p.qtests(t, "env", "-shell", "sh", "-C", "sub")
	require.Equal(t, 0, sh.status, sh.stderr)
	got := finish(t, p.command("sh", "", "-c", sh.stdout+"go test ./sub"))
	require.Equal(t, 0, got.status, got.stdout+got.stderr)
	require.Contains(t, got.stdout, "leaf  true\n")

	var vars map[string]string
	require.NoError(t, json.Unmarshal([]byte(p.qtests(t, "env", "-json").stdout), &vars))
	require.Len(t, vars, 1, "this GOROOT is not in the module cache")
	plain := p.qtests(t, "env")
	require.Equal(t, "GOFLAGS="+vars["GOFLAGS"]+"\n", plain.stdout)
	require.True(t, strings.HasPrefix(vars["GOFLAGS"], `-v -mod=mod "-overlay=`+store), vars["GOFLAGS"])

	within := program{dir: dir, env: []string{"GOFLAGS=" + vars["GOFLAGS"], "QTESTS_CACHE=" + store, elsewhere}}
	require.Equal(t, plain, within.qtests(t, "env"), "under its own variables it says the same")
	newer := program{dir: dir, env: append(within.env, "QTESTS_LEAF=newer")}
	require.NotEqual(t, plain, newer.qtests(t, "env"))
	again := newer.qtests(t, "test", "./sub", "-count=1")
	require.Contains(t, again.stdout, "leaf newer true\n", "the older overlay gives way:\n%s", again.stderr)
}

// TestGOROOTInTheModuleCache plays a toolchain that the go command has downloaded.
func TestGOROOTInTheModuleCache(t *testing.T) {
	inGate(t)
	temp := t.TempDir()
	text, err := os.ReadFile(filepath.Join(goroot(t), "src", filepath.FromSlash(leafFile)))
	require.NoError(t, err)
	cache := filepath.Join(temp, "mod")
	other := otherGOROOT(t, filepath.Join(cache, "golang.org", "toolchain@v0.0.1"), leafFile, string(text))
	store := filepath.Join(temp, "store")
	p := program{dir: module(t, map[string]string{"m_test.go": isLeaf}), env: []string{
		"GOROOT=" + other, "GOMODCACHE=" + cache, "QTESTS_CACHE=" + store,
	}}
	doctor := p.qtests(t, "doctor")
	require.Contains(t, doctor.stdout, ", downloaded by the go command into its module cache\n")
	require.Contains(t, doctor.stdout, "\ncopy      not there yet: no overlay reaches the module cache\n")
	require.NoDirExists(t, store, "the doctor writes nothing")

	got := p.qtests(t, "test", "-v", ".")
	require.Equal(t, 0, got.status, got.stdout+got.stderr)
	require.Contains(t, got.stdout, "leaf  true\n")
	require.Contains(t, p.qtests(t, "test", "-v", ".").stdout, "(cached)")

	var vars map[string]string
	require.NoError(t, json.Unmarshal([]byte(p.qtests(t, "env", "-json").stdout), &vars))
	require.Equal(t, "local", vars["GOTOOLCHAIN"])
	require.True(t, strings.HasPrefix(vars["GOROOT"], store), vars["GOROOT"])
	require.True(t, strings.HasPrefix(vars["PATH"], filepath.Join(vars["GOROOT"], "bin")+":"), vars["PATH"])
	sh := p.qtests(t, "env", "-shell=sh")
	plain := finish(t, p.command("sh", "", "-c", sh.stdout+"go test -v"))
	require.Contains(t, plain.stdout, "leaf  true\n", plain.stderr)
	inner := program{dir: p.dir, env: append(p.env, "GOROOT="+vars["GOROOT"], "GOFLAGS="+vars["GOFLAGS"], "PATH="+vars["PATH"], "GOTOOLCHAIN=local")}
	again := inner.qtests(t, "test", "-v", "-count=1")
	require.Contains(t, again.stdout, "leaf  true\n", again.stderr)
	entries, err := os.ReadDir(filepath.Join(store, "goroot"))
	require.NoError(t, err)
	require.Len(t, entries, 1, "no copy of the copy")
}

func TestDoctor(t *testing.T) {
	inPlainRun(t)
	temp := t.TempDir()
	store := filepath.Join(temp, "store")
	p := program{dir: module(t, map[string]string{"m_test.go": isLeaf}), env: []string{
		"QTESTS_CACHE=" + store, "GOMODCACHE=" + filepath.Join(temp, "mod"), // GOROOT is elsewhere, then
	}}
	before := p.qtests(t, "doctor")
	require.Equal(t, 0, before.status, before.stderr)
	require.Regexp(t, `^Go        go1\.\S+, installed
GOROOT    \S+
found by  \S+, with GOTOOLCHAIN=\S+
for       \w+/\w+
changes   fit, at 2 places
  fits    container/ring/ring\.go:36  func New
  fits    container/ring/added\.go  added
cache     .*/store
overlay   not there yet; the first test writes it
copy      none: an overlay reaches this GOROOT
compiled  not yet; the first test compiles the standard library, once
$`, before.stdout)
	require.NoDirExists(t, store)

	require.Equal(t, 0, p.qtests(t, "test").status)
	after := p.qtests(t, "doctor").stdout
	require.Regexp(t, `\noverlay   `+store+`/overlay/\S+/overlay\.json\n(.*\n)compiled  \w+/\w+, in \S+\n$`, after)

	found, err := filepath.Glob(filepath.Join(store, "overlay", "*", "src", "container", "ring", "ring.go"))
	require.NoError(t, err)
	require.Len(t, found, 1)
	put(t, found[0], "package ring\n")
	require.Contains(t, p.qtests(t, "doctor").stdout, "\noverlay   damaged; the next test writes it anew\n")
	require.Equal(t, 0, p.qtests(t, "test").status)
	require.Equal(t, after, p.qtests(t, "doctor").stdout)
}
