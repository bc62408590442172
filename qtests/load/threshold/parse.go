package threshold

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/go-qtests/qtests/qtests/internal/text"
)

type thresholdParser struct{ text, rest string }

// ParseAll reads a threshold of one or more conditions, which all have to hold:
//
//	p(95)<200ms && errors<1%
//	p(95)<200ms and step(pay).errors<1% every 1m abort
//
// Each condition is what Parse reads. every and abort stand after the last condition and hold for all of
// them. There is no "or". The judge makes one verdict of them.
func ParseAll(text string) ([]Threshold, error) {
	all, err := parseAll(text)
	if err != nil {
		return nil, fmt.Errorf("load: threshold %q: %w", text, err)
	}
	return all, nil
}

func parseAll(text string) ([]Threshold, error) {
	all, err := parseParts(conditions(text))
	if err != nil {
		return nil, err
	}
	last := all[len(all)-1]
	for i := range all {
		all[i].Every, all[i].Abort, all[i].AbortAfter = last.Every, last.Abort, last.AbortAfter
		if err := all[i].Validate(); err != nil {
			return nil, fmt.Errorf("condition %d: %w", i+1, err)
		}
	}
	return all, nil
}

// parseParts reads conditions. The last one has every and abort.
func parseParts(parts []string) (all []Threshold, err error) {
	for i, part := range parts {
		p := thresholdParser{text: part, rest: strings.TrimSpace(part)}
		t, err := p.parse()
		switch {
		case err != nil && len(parts) > 1:
			return nil, fmt.Errorf("condition %d: %w", i+1, err)
		case err != nil:
			return nil, err
		case i < len(parts)-1 && (t.Every > 0 || t.Abort):
			return nil, fmt.Errorf("condition %d: every and abort stand after the last condition, and hold for all", i+1)
		}
		all = append(all, t)
	}
	return all, nil
}

// conditions splits at && and at the word and, but not within parentheses, where names stand.
func conditions(text string) (parts []string) {
	depth, start := 0, 0
	for i := 0; i < len(text); i++ {
		if depth += nesting(text[i]); depth > 0 {
			continue
		}
		if n := len(joiner.FindString(text[i:])); n > 0 {
			parts = append(parts, text[start:i])
			i += n - 1
			start = i + 1
		}
	}
	return append(parts, text[start:])
}

// joiner is what stands between two conditions.
var joiner = regexp.MustCompile(`^(&&|(?i)\s+and\s)`)

// Join writes conditions as ParseAll reads them. The last one tells every and abort for all.
func Join(all ...Threshold) string {
	var parts []string
	for i, t := range all {
		if i < len(all)-1 {
			t.Every, t.Abort, t.AbortAfter = 0, false, 0
		}
		parts = append(parts, t.String())
	}
	return strings.Join(parts, " && ")
}

func (p *thresholdParser) parse() (t Threshold, err error) {
	if err = p.left(&t); err != nil {
		return t, err
	}
	if t.Op = p.operator(); t.Op == "" {
		if strings.HasPrefix(p.rest, "{") {
			return t, fmt.Errorf("has a { after %[1]q: of one step it is step(NAME).%[1]s, of one tag tag(KEY=VALUE).%[1]s", t.name())
		}
		return t, fmt.Errorf("wants one of %s after %q", strings.Join(ops, " "), t.name())
	}
	if err = p.lone(); err != nil {
		return t, err
	}
	value, words := p.value()
	if value == "" {
		return t, fmt.Errorf("wants a value after %q", t.name()+t.Op)
	}
	if t.Value, t.Unit, err = parseValue(value); err != nil {
		return t, err
	}
	if err = p.options(&t, words); err != nil {
		return t, err
	}
	return t, t.Validate()
}

// operator reads a comparison, or nothing.
func (p *thresholdParser) operator() string {
	p.rest = strings.TrimSpace(p.rest)
	for _, op := range ops {
		if rest, ok := strings.CutPrefix(p.rest, op); ok {
			p.rest = rest
			return op
		}
	}
	return ""
}

// lone reports an error if another condition follows.
func (p *thresholdParser) lone() error {
	switch {
	case alternative.MatchString(p.rest):
		return errors.New("there is no or: write two scenarios, or a check of your own")
	case another.MatchString(p.rest):
		return errOneEach
	}
	return nil
}

// value reads the value, whose unit may stand apart, and returns the words after it.
func (p *thresholdParser) value() (value string, words []string) {
	words = strings.Fields(p.rest)
	if len(words) > 1 && loneUnit.MatchString(words[1]) {
		return words[0] + words[1], words[2:]
	}
	if len(words) == 0 {
		return "", nil
	}
	return words[0], words[1:]
}

// another is what a second threshold in the text looks like.
var another = regexp.MustCompile(`[\pL)]\s*[<>=!]`)

var errOneEach = errors.New("one threshold per string: what follows the value is another one; && joins conditions that have to hold together")

// alternative is a second condition that may hold instead of the first.
var alternative = regexp.MustCompile(`\|\||(?i)\sor\s`)

// loneUnit is a unit that stands apart from its number.
var loneUnit = regexp.MustCompile(`^(%|/s|ns|us|µs|μs|ms|s|m|h)$`)

// A word of the left side: name or name(argument). dotted says that a dot follows.
type word struct {
	name, argument string
	called, dotted bool
}

// left reads the scope, the kind of time, and the metric.
func (p *thresholdParser) left(t *Threshold) error {
	for {
		w, err := p.word()
		if err != nil {
			return err
		}
		if ends, err := t.takeMetric(w); ends {
			return err
		}
		switch narrows, err := t.takeScope(w); {
		case err != nil:
			return err
		case !narrows:
			return misplaced(w)
		case w.dotted:
			p.rest = p.rest[1:]
		case w.name == "metric":
			return nil
		default:
			return fmt.Errorf("wants a metric after %q, as in %s.p(99)", w.name, strings.TrimSuffix(p.text, p.rest))
		}
	}
}

// takeMetric takes a word that ends the left side, and reports whether it is one.
func (t *Threshold) takeMetric(w word) (ok bool, err error) {
	switch {
	case w.name == "check" && w.called && !w.dotted:
		t.Check, t.Metric = w.argument, "checks"
	case w.name == "p" && w.called:
		t.Metric = "p"
		if t.Percentile, err = strconv.ParseFloat(w.argument, 64); err != nil {
			err = fmt.Errorf("p(%s): not a number%s", w.argument, percentileHint(w.argument))
		}
	case t.Own != "" && w.name == "last" && !w.called, metrics[w.name].units != nil && !w.called && w.name != "p":
		t.Metric = w.name
	default:
		return false, nil
	}
	return true, err
}

// takeScope takes a word that narrows the metric behind it, and reports whether it is one.
func (t *Threshold) takeScope(w word) (ok bool, err error) {
	switch {
	case w.name == "step" && w.called && t.Step == "":
		t.Step = w.argument
	case w.name == "tag" && w.called && t.Tag == "":
		if t.Tag = w.argument; !strings.Contains(t.Tag, "=") {
			return false, fmt.Errorf("tag(%s) is not like tag(key=value)", t.Tag)
		}
	case w.name == "metric" && w.called && t.Own == "":
		t.Own = w.argument
	case w.name == "service" && w.dotted && !w.called && !t.Service:
		t.Service = true
	case w.name == "late" && w.dotted && !w.called && !t.Late:
		t.Late = true
	default:
		return false, nil
	}
	return true, nil
}

func (p *thresholdParser) word() (w word, err error) {
	end := p.nameEnd()
	w.name, p.rest = p.rest[:end], p.rest[end:]
	if w.name == "" {
		return w, errors.New("wants a metric, as in p(99)<250ms")
	}
	if w.called = strings.HasPrefix(p.rest, "("); w.called {
		end = closing(p.rest)
		switch {
		case end < 0:
			return w, fmt.Errorf("%s( is not closed", w.name)
		case end == 1:
			return w, fmt.Errorf("%s() is empty", w.name)
		}
		w.argument, p.rest = p.rest[1:end], p.rest[end+1:]
	}
	w.dotted = strings.HasPrefix(p.rest, ".")
	return w, nil
}

// nameEnd returns where the name ends with which the rest begins.
func (p *thresholdParser) nameEnd() int {
	end := strings.IndexAny(p.rest, "(.<>=! ")
	if end < 0 {
		end = len(p.rest)
	}
	like := percentileLike.FindString(p.rest) // p99.9 has a dot, and no scope
	return max(end, len(like))
}

// closing returns where the parenthesis closes that the text begins with, or -1. Names of steps may hold
// parentheses, as long as they are balanced.
func closing(s string) int {
	depth := 0
	for i := range len(s) {
		if depth += nesting(s[i]); depth == 0 {
			return i
		}
	}
	return -1
}

// nesting is by how much a character changes the depth of parentheses.
func nesting(c byte) int {
	switch c {
	case '(':
		return 1
	case ')':
		return -1
	}
	return 0
}

func parseValue(s string) (float64, Unit, error) {
	if n, ok := strings.CutSuffix(s, "%"); ok {
		x, err := parseNumber(n)
		return x, Percent, err
	}
	if n, ok := strings.CutSuffix(s, "/s"); ok {
		x, err := parseNumber(n)
		return x, PerSecond, err
	}
	if x, err := parseNumber(s); err == nil {
		return x, Count, nil
	}
	d, err := time.ParseDuration(s)
	if err != nil {
		return 0, 0, fmt.Errorf("value %q is no number, percentage, rate (/s) or duration", s)
	}
	return d.Seconds(), Seconds, nil
}

func parseNumber(s string) (float64, error) {
	x, err := strconv.ParseFloat(s, 64)
	if err != nil || x-x != 0 {
		return 0, fmt.Errorf("value %q is not a finite number", s)
	}
	return x, nil
}

func (p *thresholdParser) options(t *Threshold, words []string) (err error) {
	for len(words) > 0 {
		switch name := words[0]; {
		case name == "every" && t.Every != 0, name == "abort" && t.Abort:
			err = fmt.Errorf("%s is there twice", name)
		case name == "every":
			words, err = t.readEvery(words[1:])
		case name == "abort":
			words, err = t.readAbort(words[1:])
		default:
			err = noOption(words)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// readEvery reads what stands behind every, and returns what follows.
func (t *Threshold) readEvery(words []string) (rest []string, err error) {
	if t.Every, rest, err = optionDuration("every", words); err == nil && t.Every <= 0 {
		err = fmt.Errorf("every %v: want a positive duration", t.Every)
	}
	return rest, err
}

// readAbort reads what stands behind abort, and returns what follows.
func (t *Threshold) readAbort(words []string) (rest []string, err error) {
	t.Abort = true
	switch {
	case len(words) > 0 && words[0] == "after":
		if t.AbortAfter, rest, err = optionDuration("abort after", words[1:]); err == nil && t.AbortAfter < 0 {
			err = fmt.Errorf("abort after %v: the duration is negative", t.AbortAfter)
		}
		return rest, err
	case len(words) > 0 && isDuration(words[0]):
		return nil, fmt.Errorf("abort %s: did you mean \"abort after %s\"?", words[0], words[0])
	}
	return words, nil
}

// noOption says what is wrong with words that begin with no option.
func noOption(words []string) error {
	switch first := words[0]; {
	case first == "after":
		return errors.New("after goes with abort, as in abort after 30s")
	case isDuration(first):
		return fmt.Errorf("%s is out of place; did you mean \"every %s\"?", first, first)
	case len(words) > 1 && isDuration(words[1]) && len(text.Near(first, optionNames)) == 0:
		return fmt.Errorf("unknown option %q; did you mean \"every %s\"?", first, words[1])
	}
	return text.Unknown("option", words[0], optionNames)
}

var optionNames = []string{"every", "abort"}

func isDuration(s string) bool {
	_, err := time.ParseDuration(s)
	return err == nil
}

// optionDuration reads the duration that an option wants, and returns what follows.
func optionDuration(option string, words []string) (time.Duration, []string, error) {
	if len(words) == 0 {
		return 0, nil, fmt.Errorf("%s wants a duration, as in %s 30s", option, option)
	}
	d, err := time.ParseDuration(words[0])
	if err != nil {
		return 0, nil, fmt.Errorf("%s %s: want a duration, as in %s 30s", option, words[0], option)
	}
	return d, words[1:], nil
}
