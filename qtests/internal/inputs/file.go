package inputs

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"
)

// WriteTo writes the lines of a file of choices that Add reads:
//
//	fault "shop" "db: outage" 1 12.5s 3s
//	fault "shop" "store: crash" 2 1m0s 5s before 4
//	load "checkout" 1 requests 100 scale 0.25
//
// Inputs without faults are the line "faults none".
func (in *Inputs) WriteTo(w io.Writer) (int64, error) {
	var b strings.Builder
	if in != nil {
		if len(in.Faults) == 0 {
			b.WriteString("faults none\n")
		}
		for _, f := range in.Faults {
			fmt.Fprintln(&b, f.line())
		}
		for _, l := range in.Loads {
			if !l.Whole() {
				fmt.Fprintf(&b, "load %q %d requests %d scale %g\n", l.Name, l.N, l.Requests, l.Scale)
			}
		}
	}
	n, err := io.WriteString(w, b.String())
	return int64(n), err
}

func (f Fault) line() string {
	line := fmt.Sprintf("fault %q %q %d %v %v", f.Plan, f.Name, f.N, f.At, f.For)
	if f.Before > 0 {
		line += fmt.Sprintf(" before %d", f.Before)
	}
	return line
}

// Words takes a line apart at its spaces. A text in quotes, as strconv.Quote writes it, is one word.
func Words(line string) ([]string, error) {
	var words []string
	for line = strings.TrimSpace(line); line != ""; line = strings.TrimSpace(line) {
		word, rest, err := cutWord(line)
		if err != nil {
			return nil, err
		}
		words, line = append(words, word), rest
	}
	return words, nil
}

// cutWord cuts the first word off a line that does not begin with a space.
func cutWord(line string) (word, rest string, err error) {
	if line[0] == '"' {
		quoted, err := strconv.QuotedPrefix(line)
		if err != nil {
			return "", "", fmt.Errorf("a quote has no end: %s", line)
		}
		word, err = strconv.Unquote(quoted)
		return word, line[len(quoted):], err
	}
	end := strings.IndexAny(line, " \t")
	if end < 0 {
		end = len(line)
	}
	return line[:end], line[end:], nil
}

// Add adds a line that begins with fault, faults or load. For any other line ok is false.
func (in *Inputs) Add(words []string) (ok bool, err error) {
	switch words[0] {
	case "faults":
		if len(words) != 2 || words[1] != "none" {
			return true, fmt.Errorf(`faults takes the word none`)
		}
	case "fault":
		f, err := parseFault(words[1:])
		in.Faults = append(in.Faults, f)
		return true, err
	case "load":
		l, err := parseLoad(words[1:])
		in.Loads = append(in.Loads, l)
		return true, err
	default:
		return false, nil
	}
	return true, nil
}

func parseFault(words []string) (f Fault, err error) {
	if len(words) != 5 && (len(words) != 7 || words[5] != "before") {
		return f, fmt.Errorf(`a fault is like fault "plan" "event" 1 2.5s 300ms before 3`)
	}
	f.Plan, f.Name = words[0], words[1]
	var errs [4]error
	f.N, errs[0] = positive(words[2])
	f.At, errs[1] = time.ParseDuration(words[3])
	f.For, errs[2] = time.ParseDuration(words[4])
	if len(words) == 7 {
		f.Before, errs[3] = positive(words[6])
	}
	for _, err := range errs {
		if err != nil {
			return f, err
		}
	}
	if f.At < 0 || f.For < 0 || f.At > math.MaxInt64-f.For {
		return f, fmt.Errorf("a fault from %v on for %v is before or behind all time", f.At, f.For)
	}
	return f, nil
}

func parseLoad(words []string) (l Load, err error) {
	if len(words) != 6 || words[2] != "requests" || words[4] != "scale" {
		return l, fmt.Errorf(`a load is like load "scenario" 1 requests 100 scale 0.25`)
	}
	l.Name = words[0]
	if l.N, err = positive(words[1]); err != nil {
		return l, err
	}
	if l.Requests, err = strconv.ParseInt(words[3], 10, 64); err != nil || l.Requests < 0 {
		return l, fmt.Errorf("%q is no number of requests", words[3])
	}
	if l.Scale, err = strconv.ParseFloat(words[5], 64); err != nil || !(l.Scale > 0) || math.IsInf(l.Scale, 0) {
		return l, fmt.Errorf("%q is no scale over 0", words[5])
	}
	return l, nil
}

func positive(s string) (int, error) {
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 {
		return 0, fmt.Errorf("%q is not a number of at least 1", s)
	}
	return n, nil
}
