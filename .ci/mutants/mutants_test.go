package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const source = `package p

import "time"

const Limit = 3 + 4

type table [2 * 3]int

var second = time.Second

var start = Clamp(4, 3) + 1

func Clamp(x, limit int) int {
	if x >= limit {
		return limit - 1
	}
	return -x
}

func Rest(d time.Duration, text string) (n int) {
	switch {
	case d > time.Second:
		return 60 * 60
	}
	if text+"!" != "!" && d/2 > 0 {
		for i := uint(0); i < 3; i++ {
			n--
		}
	}
	return n
}
`

const more = `package p

func half() any { return second / 2 } // of a type that this file does not import
`

const tests = `package p

import "testing"

func TestClamp(t *testing.T) {
	if Clamp(4, 3) != 2 || Clamp(1, 3) != -1 {
		t.Fatal()
	}
}

func TestClampOnce(t *testing.T) {
	if Clamp(7, 3) != 2 {
		t.Fatal()
	}
}

func TestFails(t *testing.T) { t.Fatal(Rest(0, "")) }
`

// module writes a module with the package p, and returns its directory.
func module(t *testing.T) string {
	dir := t.TempDir()
	must(os.Mkdir(filepath.Join(dir, "p"), 0o755))
	for name, text := range map[string]string{"go.mod": "module m\n\ngo 1.26\n", "p/p.go": source, "p/q.go": more, "p/p_test.go": tests} {
		must(os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644))
	}
	return dir
}

// What gremlins changes is changed, and no declaration, no case, no text and no loop that would not end.
func TestWhatIsMutated(t *testing.T) {
	var got []string
	for _, m := range rewritePackage(module(t), "p") {
		got = append(got, m.String())
	}
	want := []string{
		`p/p.go ARITHMETIC_BASE:25 var start = Clamp(4, 3) + 1`,
		`p/p.go CONDITIONALS_BOUNDARY:6 if x >= limit {`,
		`p/p.go CONDITIONALS_NEGATION:6 if x >= limit {`,
		`p/p.go ARITHMETIC_BASE:14 return limit - 1`,
		`p/p.go INVERT_NEGATIVES:8 return -x`,
		`p/p.go CONDITIONALS_NEGATION:13 if text+"!" != "!" && d/2 > 0 {`,
		`p/p.go CONDITIONALS_BOUNDARY:27 if text+"!" != "!" && d/2 > 0 {`,
		`p/p.go CONDITIONALS_NEGATION:27 if text+"!" != "!" && d/2 > 0 {`,
		`p/p.go ARITHMETIC_BASE:24 if text+"!" != "!" && d/2 > 0 {`,
		`p/p.go CONDITIONALS_BOUNDARY:21 for i := uint(0); i < 3; i++ {`,
		`p/p.go CONDITIONALS_NEGATION:21 for i := uint(0); i < 3; i++ {`,
		`p/p.go INCREMENT_DECREMENT:2 n--`,
		`p/q.go ARITHMETIC_BASE:33 func half() any { return second / 2 } // of a type that this file does not import`,
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("mutated is\n%s\nand not\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// One build has all mutants, each behind its switch; a test that fails without one notices none.
func TestWhatIsNoticed(t *testing.T) {
	dir := module(t)
	mutants := rewritePackage(dir, "p")
	bin := filepath.Join(dir, "p.test")
	output(dir, "go", "test", "-vet=off", "-c", "-o", bin, "./p")
	tester := newTester(map[string]bool{`p/p.go ARITHMETIC_BASE:25 var start = Clamp(4, 3) + 1`: true})
	tester.add(bin, dir)
	tester.judgeAll(mutants)
	for _, m := range mutants {
		want := notCovered
		switch {
		case m.text == `var start = Clamp(4, 3) + 1`:
			want = equal
		case m.kind == "CONDITIONALS_BOUNDARY" && m.text == "if x >= limit {":
			want = lived // no test has an x that is the limit
		case m.line < 19 && m.file == "p/p.go":
			want = killed
		}
		if m.state != want {
			t.Errorf("%s is %s, and not %s", m, m.state, want)
		}
	}
}
