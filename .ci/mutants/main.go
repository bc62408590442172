// Mutants makes all mutants of packages that gremlins makes, builds each package once with all of them in it, and runs
// for each mutant the tests that reach it until one fails. That takes seconds where one build for each mutant takes hours.
//
//	go run ./.ci/mutants ./qtests/breaker ./qtests/pool
//
// SAMPLE=120 takes so many, drawn by SEED=1. It prints who was not noticed, and a row of the table in docs/mutation.md
// for each package; .ci/equivalent says which change nothing.
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
	for _, pkg := range os.Args[1:] {
		measure(root, strings.TrimPrefix(filepath.Clean(pkg), "./"))
	}
}

// measure mutates a package in a copy of the repository.
func measure(root, pkg string) {
	dir, err := os.MkdirTemp("", "mutants")
	must(err)
	defer func() { must(os.RemoveAll(dir)) }()
	clone := filepath.Join(dir, "clone")
	must(os.Mkdir(clone, 0o755))
	pack := exec.Command("sh", "-c", "git ls-files -z -co --exclude-standard | tar --null --ignore-failed-read -T - -cf - | tar -C "+clone+" -xf -")
	pack.Dir = root
	must(pack.Run())
	mutants := rewritePackage(clone, pkg)
	bin := filepath.Join(dir, "mutants.test")
	output(clone, "go", "test", "-vet=off", "-c", "-o", bin, "./"+pkg)
	if len(mutants) == 0 {
		return
	}
	some := sampled(mutants)
	judgeAll(some, bin, filepath.Join(clone, pkg))
	drawn := "all | "
	if len(some) < len(mutants) {
		drawn = fmt.Sprintf("%d | %s", len(some), seed())
	}
	row(some, pkg, drawn, equivalents(root))
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

func row(mutants []*mutant, pkg, drawn string, equivalent map[string]bool) {
	noticed, equal := 0, 0
	for _, m := range mutants {
		text := fmt.Sprintf("%s/%s %s:%d %s", pkg, m.file, m.kind, m.column, m.text)
		switch {
		case m.state == killed:
			noticed++
		case equivalent[text]:
			equal++
		default:
			fmt.Fprintf(os.Stderr, "%s line %d: %s\n", m.state, m.line, text)
		}
	}
	others := len(mutants) - equal
	fmt.Printf("| `%s` | %s | %d | %d | %d | %d | %.0f %% |\n", pkg, drawn, len(mutants), noticed, others-noticed, equal, 100*float64(noticed)/float64(max(others, 1)))
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
