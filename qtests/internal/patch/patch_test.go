package patch

import (
	"bytes"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// goroot returns the GOROOT of the go command in use, and its version.
var goroot = sync.OnceValues(func() (root, version string) {
	out, err := exec.Command("go", "env", "GOROOT", "GOVERSION").Output()
	if err != nil {
		panic(err)
	}
	lines := strings.Split(string(out), "\n")
	return lines[0], lines[1]
})

// applied is the result for the Go in use.
var applied = sync.OnceValues(func() (*Result, error) { return Apply(goroot()) })

func TestFits(t *testing.T) {
	res, err := applied()
	require.NoError(t, err)
	places := map[string]int{}
	for _, p := range res.Places {
		require.NoError(t, p.Err)
		require.Contains(t, res.Files, p.File)
		if p.What == "added" {
			require.Zero(t, p.Line)
		} else {
			require.Positive(t, p.Line)
			places[p.File]++
		}
	}
	want := 0
	for _, c := range changes {
		want += max(c.n, 1)
	}
	got := 0
	for _, n := range places {
		got += n
	}
	require.Equal(t, want, got)
}

// TestLinesStay: a stack trace names the lines of the installed files.
func TestLinesStay(t *testing.T) {
	for _, c := range changes {
		require.NotContains(t, c.text, "\n", c.describe())
	}
	res, err := applied()
	require.NoError(t, err)
	root, _ := goroot()
	for name, text := range res.Files {
		installed, err := os.ReadFile(filepath.Join(root, "src", filepath.FromSlash(name)))
		if errors.Is(err, fs.ErrNotExist) {
			continue // added
		}
		require.NoError(t, err)
		require.NotEqual(t, string(installed), string(text), name)
		require.Equal(t, bytes.Count(installed, []byte("\n")), bytes.Count(text, []byte("\n")), name)
		require.Equal(t, linesOf(t, installed), linesOf(t, text), name)
	}
}

// linesOf returns the lines at which every function begins and ends.
func linesOf(t *testing.T, text []byte) map[string]int {
	t.Helper()
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "", text, parser.SkipObjectResolution)
	require.NoError(t, err)
	lines := map[string]int{}
	for _, d := range file.Decls {
		if f, ok := d.(*ast.FuncDecl); ok {
			lines[funcName(f)+" begins"] = fset.Position(f.Pos()).Line
			lines[funcName(f)+" ends"] = fset.Position(f.End()).Line
		}
	}
	return lines
}

// TestSomeByHand shows what a few changes make of the file.
func TestSomeByHand(t *testing.T) {
	res, err := applied()
	require.NoError(t, err)
	for file, wants := range map[string][]string{
		"runtime/proc.go": {
			"if gp.bubble != nil && orderedHold(gp) { releasem(mp); return }; runqput(mp.p.ptr(), gp, next)",
			"if newg.bubble != nil && orderedHold(newg) { return }; runqput(pp, newg, true)",
			"bubble := gp.bubble; leaving := orderedLeave(bubble, gp)",
			"if leaving { bubble.turn.stay(gp) }; casgstatus(gp, _Gwaiting, _Grunnable)",
			"if leaving { bubble.turn.pass() }; schedule()",
			"goschedImpl(gp, true)",
			"runqput(mp.p.ptr(), gp, next)\n\torderedWakep()", "if mainStarted {\n\t\t\torderedWakep()",
		},
		"runtime/select.go":      {"orderedCaseRand(uint32(norder + 1))"},
		"runtime/netpoll.go":     {"(rg != nil) && !orderedPolled(rg)", "(wg != nil) && !orderedPolled(wg)"},
		"runtime/rand.go":        {"func rand() uint64 { if x, ok := orderedRand(); ok { return x }; "},
		"internal/sync/mutex.go": {"-(mutexLocked | m.state&mutexTagMask))", "mutexLocked|runtime_orderedTag())", "= iota + mutexTagBits"},
		"sync/rwmutex.go":        {"ordered orderedReaders; }", "rw.ordered.add(1); if rw.readerCount.Add(1) < 0 {", "rw.ordered.add(-1); if r := rw.readerCount.Add(-1); r < 0 {"},
	} {
		for _, want := range wants {
			require.Contains(t, string(res.Files[file]), want, file)
		}
	}
}

// somewhere is a GOROOT made of links, but for the files that are named, which have
// another text.
func somewhere(t *testing.T, edits map[string]func(string) string) string {
	t.Helper()
	root, _ := goroot()
	dir := t.TempDir()
	need := map[string]bool{}
	res, err := applied()
	require.NoError(t, err)
	for name := range res.Files {
		need[filepath.Dir(filepath.FromSlash(name))] = true
	}
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "src"), 0o755))
	linkBut(t, filepath.Join(root, "src"), filepath.Join(dir, "src"), ".", need)
	for name, edit := range edits {
		file := filepath.Join(dir, "src", filepath.FromSlash(name))
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		changed := edit(string(text))
		require.NotEqual(t, string(text), changed)
		require.NoError(t, os.Remove(file)) // it is a link
		require.NoError(t, os.WriteFile(file, []byte(changed), 0o644))
	}
	return dir
}

// linkBut makes dir/rel like root/rel: links to what is there, but directories where
// something beneath is needed.
func linkBut(t *testing.T, root, dir, rel string, need map[string]bool) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(root, rel))
	require.NoError(t, err)
	for _, e := range entries {
		name := filepath.Join(rel, e.Name())
		beneath := slices.ContainsFunc(slices.Collect(maps.Keys(need)), func(n string) bool {
			return n == name || strings.HasPrefix(n, name+string(filepath.Separator))
		})
		if e.IsDir() && beneath {
			require.NoError(t, os.Mkdir(filepath.Join(dir, name), 0o755))
			linkBut(t, root, dir, name, need)
			continue
		}
		require.NoError(t, os.Symlink(filepath.Join(root, name), filepath.Join(dir, name)))
	}
}

func replaced(old, new string) func(string) string {
	return func(text string) string { return strings.Replace(text, old, new, 1) }
}

func TestMisfits(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("links need a privilege")
	}
	_, version := goroot()
	for name, c := range map[string]struct {
		file  string
		edit  func(string) string
		what  string
		error string
	}{
		"a function is renamed": {"runtime/proc.go", replaced("func goschedImpl(", "func goschedImpl2("),
			"goschedImpl: the turn passes on at a yield", "0 declarations of goschedImpl, not one"},
		"a statement is doubled": {"runtime/proc.go", replaced("\trunqput(mp.p.ptr(), gp, next)\n", "\trunqput(mp.p.ptr(), gp, next)\n\trunqput(mp.p.ptr(), gp, next)\n"),
			"ready: a goroutine that is woken waits for the turn", "2 places fit, not 1"},
		"a statement is gone": {"runtime/synctest.go", replaced("\tgp.bubble = bubble\n", "\tsetBubble(gp, bubble)\n"),
			"synctestRun: a bubble begins", "0 places fit, not 1"},
		"a file is there already": {"runtime/proc.go", nil, "added", "there is a file of this name"},
		"a file is gone":          {"runtime/coro.go", nil, "coroswitch_m: a coroutine gives its turn", "no such file"},
		"a file cannot be read":   {"runtime/select.go", replaced("package runtime", "package package"), "selectgo: which ready case", "expected"},
		"a variable is renamed": {"sync/rwmutex.go", func(text string) string {
			return strings.NewReplacer("r := rw.readerCount.Add(-rwmutexMaxReaders)", "readers := rw.readerCount.Add(-rwmutexMaxReaders)",
				"if r != 0 && rw.readerWait.Add(r) != 0", "if readers != 0 && rw.readerWait.Add(readers) != 0").Replace(text)
		}, "types", "undefined: r"},
	} {
		t.Run(name, func(t *testing.T) {
			edits := map[string]func(string) string{}
			if c.edit != nil {
				edits[c.file] = c.edit
			}
			root := somewhere(t, edits)
			file := c.file
			switch name {
			case "a file is gone":
				require.NoError(t, os.Remove(filepath.Join(root, "src", filepath.FromSlash(c.file))))
			case "a file is there already":
				file = "runtime/ordered_turn.go"
				require.NoError(t, os.WriteFile(filepath.Join(root, "src", filepath.FromSlash(file)), []byte("package runtime\n"), 0o644))
			}
			res, err := Apply(root, version)
			var misfit *Misfit
			require.ErrorAs(t, err, &misfit)
			require.Equal(t, version, misfit.Version)
			require.Equal(t, []string{file, c.what}, []string{misfit.File, misfit.What}, "%v", err)
			require.ErrorContains(t, misfit.Unwrap(), c.error)
			require.EqualError(t, err, fmt.Sprintf("the ordered runtime does not fit %s: %s: %s: %v", version, file, c.what, misfit.Err))
			if c.what != "types" {
				require.True(t, slices.ContainsFunc(res.Places, func(p Place) bool { return p.File == file && p.What == c.what && p.Err != nil }))
			}
		})
	}
}

func TestUnchangedCopyFits(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("links need a privilege")
	}
	_, version := goroot()
	res, err := Apply(somewhere(t, nil), version)
	require.NoError(t, err)
	want, err := applied()
	require.NoError(t, err)
	require.Equal(t, want, res)
}

// TestRevision: an overlay that was made by other changes is not used.
func TestRevision(t *testing.T) {
	require.Equal(t, Revision(), computeRevision())
	saved := changes
	defer func() { changes = saved }()
	seen := map[string]bool{Revision(): true}
	for name, edit := range map[string]func(c *change){
		"text": func(c *change) { c.text += " " }, "scope": func(c *change) { c.in = "other" }, "what": func(c *change) { c.what += "!" },
		"files": func(c *change) { c.files = []string{"other"} }, "number": func(c *change) { c.n = 7 },
	} {
		changes = slices.Clone(saved)
		edit(&changes[len(changes)/2])
		r := computeRevision()
		require.False(t, seen[r], name)
		seen[r] = true
	}
	changes = saved[1:]
	require.False(t, seen[computeRevision()], "one less")
	changes = saved
	require.Equal(t, Revision(), computeRevision())
}
