package gocmd

import (
	"maps"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParseTest(t *testing.T) {
	for line, want := range map[string]TestFlags{
		"":                            {},
		"./...":                       {Args: words("./...")},
		"-v ./... -run X":             {Args: words("-v ./... -run X")},
		"-C dir -v":                   {Chdir: "dir", Args: words("-v")},
		"--C=dir -v":                  {Chdir: "dir", Args: words("-v")},
		"-C":                          {Args: words("-C"), NoBuild: true},
		"-v -C dir":                   {Args: words("-v -C dir"), NoBuild: true},
		"-overlay o.json .":           {Overlay: "o.json", HasOverlay: true, Args: words(".")},
		"-overlay=a --overlay=b":      {Overlay: "b", HasOverlay: true},
		"-overlay= .":                 {HasOverlay: true, Args: words(".")},
		"-n -overlay=a .":             {Overlay: "a", HasOverlay: true, NoBuild: true, Args: words("-n .")},
		"-run -overlay=a":             {Args: words("-run -overlay=a")},
		"-run=x -overlay":             {Args: words("-run=x -overlay"), NoBuild: true},
		"-test.run -overlay .":        {Args: words("-test.run -overlay .")},
		"-v -overlay a -short":        {Overlay: "a", HasOverlay: true, Args: words("-v -short")},
		". -args -overlay a -race":    {Args: words(". -args -overlay a -race")},
		". --args -overlay a":         {Args: words(". --args -overlay a")},
		". -- -overlay a":             {Args: words(". -- -overlay a")},
		". -v x -race -overlay a":     {Args: words(". -v x -race -overlay a")},
		"-mine -overlay a":            {Overlay: "a", HasOverlay: true, Args: words("-mine")},
		"-mine x -race":               {Args: words("-mine x -race"), Build: words("-race=true")},
		"-mine=x y -race":             {Args: words("-mine=x y -race")},
		"-mine x y -race":             {Args: words("-mine x y -race")},
		". . -mine x -overlay a":      {Overlay: "a", HasOverlay: true, Args: words(". . -mine x")},
		"-args=x -race":               {Args: words("-args=x -race"), Build: words("-race=true")},
		"- -race":                     {Args: words("- -race"), Build: words("-race=true")},
		"-race -race=false --msan .":  {Args: words("-race -race=false --msan ."), Build: words("-race=true -race=false -msan=true")},
		"-tags a,b -mod=mod":          {Args: words("-tags a,b -mod=mod"), Build: words("-tags=a,b -mod=mod")},
		"-modfile x -trimpath":        {Args: words("-modfile x -trimpath"), Build: words("-modfile=x -trimpath=true")},
		"-gcflags=-N -asmflags all=x": {Args: words("-gcflags=-N -asmflags all=x"), Build: words("-asmflags=all=x")},
		"-a .":                        {Args: words("-a ."), NoBuild: true},
		"-n=false":                    {Args: words("-n=false"), NoBuild: true},
		"-h":                          {Args: words("-h"), NoBuild: true},
		"-cover -coverpkg x -json -c": {Args: words("-cover -coverpkg x -json -c")},
		"-vet off -buildvcs -p 1":     {Args: words("-vet off -buildvcs -p 1")},
	} {
		got := ParseTest(words(line))
		got.Packages = nil // see TestPackages
		require.Equal(t, want, got, "%s", line)
	}
}

func TestPackages(t *testing.T) {
	for line, want := range map[string]string{
		"": "", "./...": "./...", "-v ./a ./b -run X": "./a ./b", "-run X -count=1": "", ". -v x": ".", ". -args ./a": ".", "-overlay o.json .": ".",
		"-mine x": "", "-mine=x y": "", ". . -mine x": ". .", "-C dir ./a": "./a", "./a -- ./b": "./a",
	} {
		require.Equal(t, words(want), ParseTest(words(line)).Packages, "%s", line)
	}
}

func words(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Fields(s)
}

// The go command itself says which of its flags take a value, so that a new one, or a
// forgotten one, is found here.
func TestKindsAreThoseOfGo(t *testing.T) {
	dir := t.TempDir()
	for _, name := range slices.Sorted(maps.Keys(kinds)) {
		if strings.HasPrefix(name, "test.") || name == "C" {
			continue
		}
		// Without a value, a flag that takes one is an error before anything is done, and
		// a boolean one makes way for the flag after it.
		cmd := exec.Command("go", "test", "-"+name)
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		require.Error(t, err)
		require.Equal(t, kinds[name].takesValue(), strings.Contains(string(out), "flag needs an argument: -"+name+"\n"), "-%s: %s", name, out)
	}
	for _, topic := range []string{"build", "test", "testflag"} {
		help, err := exec.Command("go", "help", topic).Output()
		require.NoError(t, err)
		for line := range strings.Lines(string(help)) {
			name, isFlag := strings.CutPrefix(line, "\t-")
			if name = strings.TrimSpace(strings.Split(name, " ")[0]); isFlag && name != "args" {
				require.NotEqual(t, unknown, kinds[name], "go help %s names the flag -%s", topic, name)
			}
		}
	}
}

// isSubsequence reports whether part is whole without some of its words.
func isSubsequence(part, whole []string) bool {
	i := 0
	for _, a := range whole {
		if i < len(part) && part[i] == a {
			i++
		}
	}
	return i == len(part)
}

// isButForArgs reports whether part is whole without some of its words, and with one -args more.
func isButForArgs(part, whole []string) bool {
	for i, a := range part {
		if a == "-args" && isSubsequence(slices.Concat(part[:i], part[i+1:]), whole) {
			return true
		}
	}
	return false
}

func TestWordsForTheTestBinaryStayThere(t *testing.T) {
	for line, want := range map[string]string{
		". -overlay x word -overlay y":       ". -args word -overlay y",
		"-mine -overlay x word":              "-mine -args word",
		". -overlay x -v word":               ". -v -args word",
		". -overlay x -args word -overlay y": ". -args word -overlay y",
		". -v word -overlay x":               ". -v word -overlay x",
		"-overlay x . -run y":                ". -run y",
	} {
		require.Equal(t, words(want), ParseTest(words(line)).Args, "%s", line)
	}
}

// FuzzParseTest: nothing is lost but -C and -overlay, nothing is added but one -args, and
// what follows -args is never looked at.
func FuzzParseTest(f *testing.F) {
	f.Add("-C d -v . -overlay x -run y -args -race", "-overlay z")
	f.Add("-mine x -tags", "-C")
	f.Add(". -overlay x word . -overlay y", "-args")
	f.Fuzz(func(t *testing.T, line, behind string) {
		args := strings.Fields(line)
		got := ParseTest(args)
		require.LessOrEqual(t, len(got.Args), len(args))
		require.True(t, isSubsequence(got.Args, args) || got.HasOverlay && isButForArgs(got.Args, args), "%q became %q", args, got.Args)
		if len(got.Args) < len(args) {
			require.True(t, got.HasOverlay || got.Chdir != "" || strings.Contains(args[0], "C="), "%q became %q", args, got.Args)
		}
		again := ParseTest(append([]string{"-v"}, got.Args...))
		require.False(t, again.HasOverlay, "an overlay stays in %q", got.Args)

		rest := strings.Fields(behind)
		whole := ParseTest(append(append([]string{"-v", "."}, "-args"), rest...))
		require.Equal(t, TestFlags{Packages: []string{"."}, Args: append([]string{"-v", ".", "-args"}, rest...)}, whole)
	})
}
