package explore

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/go-qtests/qtests/qtests/internal/inputs"
	"github.com/go-qtests/qtests/qtests/internal/ordered"
)

// A File is what repeats a run: the test, the seed from which numbers are drawn, the
// choices that differ from the base, the faults that happen, and how much load there is. As text:
//
//	qtests choices 1
//	# lines for people
//	test TestTransfer
//	seed 17
//	turn 3f2a 4 99e1
//	select 99e1 7
//	timer 3f2a 5
//	fault "shop" "store: crash" 1 12.5s 3s before 4
//	load "checkout" 1 requests 100 scale 0.25
//
// A goroutine is named by its identity in hexadecimal digits, and a choice of it by how many
// it made before, with this one; a turn is followed by the goroutine that gets it. A fault is a fault of
// a plan, with the name of its event and its number, when it begins and how long it lasts.
// Without a line that begins with fault, faults or load, the faults of the seed happen.
//
// A run that made too many choices to keep has the line "explore pct:3/240" instead of them.
type File struct {
	Test  string
	Seed  uint64
	Notes []string // without #
	Trial
}

// A Trial is how a run is made, beside its seed.
type Trial struct {
	Choices []ordered.Choice
	// As, where it was asked for, is how the choices are made, and Choices are none.
	As Spec
	// Inputs are nil where they are those of the seed.
	Inputs *inputs.Inputs `json:",omitempty"`
}

const fileHead = "qtests choices 1"

// MostFile is the size of the longest file that is read, in bytes.
const MostFile = 1 << 20

var kindNames = [...]string{ordered.ChooseTurn: "turn", ordered.ChooseSelect: "select", ordered.ChooseTimer: "timer"}

// WriteTo writes the file.
func (f File) WriteTo(w io.Writer) (int64, error) {
	var b strings.Builder
	fmt.Fprintln(&b, fileHead)
	for _, n := range f.Notes {
		fmt.Fprintln(&b, "# "+strings.ReplaceAll(n, "\n", " "))
	}
	fmt.Fprintf(&b, "test %s\nseed %d\n", f.Test, f.Seed)
	if f.As.Asked {
		fmt.Fprintf(&b, "explore %v\n", f.As)
	}
	for _, c := range f.Choices {
		fmt.Fprintln(&b, choiceLine(c))
	}
	if _, err := f.Inputs.WriteTo(&b); err != nil {
		return 0, err
	}
	n, err := io.WriteString(w, b.String())
	return int64(n), err
}

func choiceLine(c ordered.Choice) string {
	line := fmt.Sprintf("%s %x %d", kindNames[c.Kind], c.Goroutine, c.N)
	if c.Kind == ordered.ChooseTurn {
		line += fmt.Sprintf(" %x", c.Target)
	}
	return line
}

// ReadFile reads the file of that name.
func ReadFile(name string) (File, error) {
	r, err := os.Open(name)
	if err != nil {
		return File{}, err
	}
	defer r.Close() //nolint:errcheck // nothing was written
	f, err := Read(r)
	if err != nil {
		return f, fmt.Errorf("%s: %w", name, err)
	}
	return f, nil
}

// Read reads a file of at most MostFile bytes. The error names the line.
func Read(r io.Reader) (File, error) {
	var f File
	lines := bufio.NewScanner(io.LimitReader(r, MostFile))
	for n := 1; lines.Scan(); n++ {
		if err := f.readLine(n, strings.TrimSpace(lines.Text())); err != nil {
			return f, fmt.Errorf("line %d: %w", n, err)
		}
	}
	if err := lines.Err(); err != nil {
		return f, err
	}
	if f.Test == "" {
		return f, errors.New("no line says which test it is")
	}
	return f, nil
}

// readLine reads line n, from 1.
func (f *File) readLine(n int, line string) error {
	switch {
	case n == 1 && line != fileHead:
		return fmt.Errorf("a file of choices begins with %q", fileHead)
	case n == 1, line == "":
		return nil
	case strings.HasPrefix(line, "#"):
		f.Notes = append(f.Notes, strings.TrimSpace(line[1:]))
		return nil
	}
	words, err := inputs.Words(line)
	if err != nil {
		return err
	}
	return f.add(words)
}

func (f *File) add(words []string) error {
	if known, err := f.addSetting(words); known {
		return err
	}
	if kind := slices.Index(kindNames[:], words[0]); kind >= 0 {
		return f.addChoice(ordered.ChoiceKind(kind), words)
	}
	return f.addInput(words)
}

// addSetting reports whether the words are the test, the seed or the strategy.
func (f *File) addSetting(words []string) (known bool, err error) {
	if len(words) != 2 {
		return false, nil
	}
	switch name, value := words[0], words[1]; name {
	case "test":
		f.Test = value
	case "seed":
		f.Seed, err = strconv.ParseUint(value, 10, 64)
	case "explore":
		if f.As, err = Parse(value); err == nil && !f.As.Asked {
			err = errors.New("explore takes a strategy")
		}
	default:
		return false, nil
	}
	return true, err
}

// addInput adds a fault or a load.
func (f *File) addInput(words []string) error {
	in := f.Inputs
	if in == nil {
		in = new(inputs.Inputs)
	}
	ok, err := in.Add(words)
	if !ok {
		return fmt.Errorf("%q is none of test, seed, explore, turn, select, timer, fault, faults and load", words[0])
	}
	f.Inputs = in
	return err
}

func (f *File) addChoice(kind ordered.ChoiceKind, words []string) (err error) {
	c := ordered.Choice{Kind: kind}
	want := 3
	if kind == ordered.ChooseTurn {
		want = 4
	}
	if len(words) != want {
		return fmt.Errorf("%s takes %d numbers", words[0], want-1)
	}
	numbers, bases := []*uint64{&c.Goroutine, &c.N, &c.Target}, []int{16, 10, 16}
	for i, w := range words[1:] {
		if *numbers[i], err = strconv.ParseUint(w, bases[i], 64); err != nil {
			return err
		}
	}
	f.Choices = append(f.Choices, c)
	return nil
}

// Known returns the files of choices in the directory testdata/qtests below dir, by test.
func Known(dir string) (map[string][]string, error) {
	names, err := filepath.Glob(filepath.Join(dir, "testdata", "qtests", "*.choices"))
	if err != nil {
		return nil, err
	}
	all := map[string][]string{}
	for _, name := range names {
		f, err := ReadFile(name)
		if err != nil {
			return nil, err
		}
		all[f.Test] = append(all[f.Test], name)
	}
	return all, nil
}

// FileName is a name of a test that any file may have.
func FileName(test string) string {
	name := []rune(test)
	for i, r := range name {
		if !slices.Contains([]rune("-_."), r) && (r < '0' || r > '9' && r < 'A' || r > 'Z' && r < 'a' || r > 'z') {
			name[i] = '-'
		}
	}
	return string(name[:min(len(name), 100)])
}
