// Mutants makes all mutants of packages, builds each package once with all of them in it, and runs for each mutant the
// tests that reach it until one fails. That takes seconds where one build for each mutant takes hours. The mutants are those
// of gremlins.
//
//	go run ./.ci/mutants ./qtests/breaker ./qtests/load/internal/phase+./qtests/load
//
// The tests are those of the package itself, and those of the packages after a +. SAMPLE=120 takes so many mutants, drawn by
// SEED=1, LONGEST=1s leaves out the tests that take longer, WORKERS=2 is how many run at once. It prints at once who was not
// noticed, and in the end a row of the table in docs/mutation.md for each package; .ci/equivalent says which change nothing.
package main

import (
	"bytes"
	"cmp"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

func main() {
	root := output(".", "git", "rev-parse", "--show-toplevel")
	fmt.Println("| package | sample | seed | mutants | noticed | not noticed | equivalent | noticed of the others |\n|---|--:|--:|--:|--:|--:|--:|--:|")
	for _, arg := range os.Args[1:] {
		var pkgs []string
		for pkg := range strings.SplitSeq(arg, "+") {
			pkgs = append(pkgs, filepath.Clean(pkg))
		}
		measure(root, pkgs)
	}
}

// measure mutates the first of the packages in a copy of the repository, and runs the tests of all of them.
func measure(root string, pkgs []string) {
	dir, err := os.MkdirTemp("", "mutants")
	must(err)
	defer func() { must(os.RemoveAll(dir)) }()
	clone := filepath.Join(dir, "clone")
	must(os.Mkdir(clone, 0o755))
	pack := exec.Command("sh", "-c", "git ls-files -z -co --exclude-standard | tar --null --ignore-failed-read -T - -cf - | tar -C "+clone+" -xf -")
	pack.Dir = root
	must(pack.Run())
	mutants := rewritePackage(clone, pkgs[0])
	if len(mutants) == 0 {
		return
	}
	t := newTester(equivalents(root))
	for i, pkg := range pkgs {
		bin := filepath.Join(dir, strconv.Itoa(i)+".test")
		module := moduleOf(clone, pkg)
		output(filepath.Join(clone, module), "go", "test", "-vet=off", "-c", "-o", bin, "./"+relative(module, pkg))
		if _, err := os.Stat(bin); err == nil { // a package without tests has none
			t.add(bin, filepath.Join(clone, pkg))
		}
	}
	some := sampled(mutants)
	t.judgeAll(some)
	drawn := "all | "
	if len(some) < len(mutants) {
		drawn = fmt.Sprintf("%d | %s", len(some), seed())
	}
	row(some, pkgs[0], drawn)
}

// moduleOf is the directory of the package's module, in the repository.
func moduleOf(clone, pkg string) string {
	for dir := pkg; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(clone, dir, "go.mod")); err == nil || dir == "." {
			return dir
		}
	}
}

func relative(module, pkg string) string {
	path, err := filepath.Rel(module, pkg)
	must(err)
	return path
}

// sampled draws as many as SAMPLE says, or returns all.
func sampled(all []*mutant) []*mutant {
	n, _ := strconv.Atoi(os.Getenv("SAMPLE"))
	if n <= 0 || n >= len(all) {
		return all
	}
	all = slices.Clone(all)
	from, _ := strconv.ParseUint(seed(), 10, 64)
	rand.New(rand.NewPCG(from, 7)).Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	all = all[:n]
	slices.SortFunc(all, func(a, b *mutant) int { return cmp.Compare(a.id, b.id) })
	return all
}

func seed() string { return cmp.Or(os.Getenv("SEED"), "1") }

// equivalents are the mutants that no test can notice, as .ci/equivalent writes them.
func equivalents(root string) map[string]bool {
	text, err := os.ReadFile(filepath.Join(root, ".ci", "equivalent"))
	must(err)
	all := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		all[strings.TrimSuffix(line, "\n")] = true
	}
	return all
}

func row(mutants []*mutant, pkg, drawn string) {
	count := map[string]int{}
	for _, m := range mutants {
		count[m.state]++
	}
	others := len(mutants) - count[equal]
	fmt.Printf("| `%s` | %s | %d | %d | %d | %d | %.0f %% |\n", pkg, drawn, len(mutants), count[killed], others-count[killed], count[equal],
		100*float64(count[killed])/float64(max(others, 1)))
}

// output runs a command that must succeed.
func output(dir, name string, args ...string) string {
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Stderr = dir, os.Stderr
	out, err := cmd.Output()
	must(err)
	return string(bytes.TrimSpace(out))
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
		os.Exit(1)
	}
}
