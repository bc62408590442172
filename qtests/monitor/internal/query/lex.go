package query

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// A token is one word of an expression. Its kind is "number", "string",
// "duration", "name", "" at the end, or, for operators and punctuation, its text.
type token struct {
	kind string
	text string // of a string: its value
	pos  int    // byte offset
}

// operator returns the token as the tree has operators: those that are words in small letters.
func (t token) operator() string {
	if t.kind == "name" {
		return strings.ToLower(t.text)
	}
	return t.kind
}

// operators, the longest first.
var operators = []string{"==", "!=", ">=", "<=", "=~", "!~", "+", "-", "*", "/", "%", "^", ">", "<", "=", "(", ")", "{", "}", "[", "]", ",", ":", "@"}

// A SyntaxError says what is wrong with an expression, and where.
type SyntaxError struct {
	Pos int // byte offset
	Msg string
}

func (e *SyntaxError) Error() string { return fmt.Sprintf("at character %d: %s", e.Pos+1, e.Msg) }

func syntax(pos int, format string, args ...any) error {
	return &SyntaxError{pos, fmt.Sprintf(format, args...)}
}

// lex cuts an expression into tokens. The last one has no kind.
func lex(s string) ([]token, error) {
	var out []token
	brackets := 0 // inside [ ] a colon begins a subquery, outside it is part of a name
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			i++
		case c == '#' && (brackets == 0 || out[len(out)-1].kind == "duration" || out[len(out)-1].kind == "number"):
			// Inside [ ] Prometheus takes a comment after a duration only.
			for i < len(s) && s[i] != '\n' {
				i++
			}
		case c == '"' || c == '\'' || c == '`':
			value, n, err := quoted(s[i:])
			if err != nil {
				return nil, syntax(i, "%v", err)
			}
			out = append(out, token{"string", value, i})
			i += n
		case digit(c) || c == '.' && i+1 < len(s) && digit(s[i+1]):
			n := wordLen(s[i:])
			t, err := numberOrDuration(s[i:i+n], i)
			if err != nil {
				return nil, err
			}
			out = append(out, t)
			i += n
		case nameStart(c) || c == ':' && brackets == 0:
			n := 1
			for i+n < len(s) && (nameStart(s[i+n]) || digit(s[i+n]) || s[i+n] == ':') {
				n++
			}
			out = append(out, token{"name", s[i : i+n], i})
			i += n
		default:
			op := operator(s[i:])
			if op == "" {
				r, _ := utf8.DecodeRuneInString(s[i:])
				return nil, syntax(i, "unexpected character %q", r)
			}
			switch op {
			case "[":
				brackets++
			case "]":
				brackets--
			}
			out = append(out, token{op, op, i})
			i += len(op)
		}
	}
	return append(out, token{"", "the end", len(s)}), nil
}

func digit(c byte) bool { return '0' <= c && c <= '9' }

func nameStart(c byte) bool { return c == '_' || 'a' <= c|0x20 && c|0x20 <= 'z' }

func operator(s string) string {
	for _, op := range operators {
		if strings.HasPrefix(s, op) {
			return op
		}
	}
	return ""
}

// wordLen returns the length of the number or duration at the start of s.
func wordLen(s string) int {
	n := 0
	hex := strings.HasPrefix(s, "0x") || strings.HasPrefix(s, "0X")
	for n < len(s) {
		c := s[n]
		sign := (c == '+' || c == '-') && n > 0 && s[n-1]|0x20 == 'e' && !hex
		if !digit(c) && !nameStart(c) && c != '.' && !sign {
			break
		}
		n++
	}
	return n
}

func numberOrDuration(s string, pos int) (token, error) {
	if _, err := parseNumber(s); err == nil {
		return token{"number", s, pos}, nil
	}
	if _, err := ParseDuration(s); err == nil {
		return token{"duration", s, pos}, nil
	}
	return token{}, syntax(pos, "%q is neither a number nor a duration", s)
}

func parseNumber(s string) (float64, error) {
	if n, err := strconv.ParseInt(s, 0, 64); err == nil {
		return float64(n), nil
	}
	return strconv.ParseFloat(s, 64)
}

// units of a duration, in the order in which they may occur.
var units = []struct {
	name string
	size time.Duration
}{
	{"y", 365 * 24 * time.Hour}, {"w", 7 * 24 * time.Hour}, {"d", 24 * time.Hour},
	{"h", time.Hour}, {"m", time.Minute}, {"s", time.Second}, {"ms", time.Millisecond},
}

// ParseDuration reads Prometheus' durations: 1h30m, 5m, 2w, each unit once and the
// larger before the smaller.
func ParseDuration(s string) (time.Duration, error) {
	if s == "0" {
		return 0, nil
	}
	if s == "" {
		return 0, fmt.Errorf("an empty duration")
	}
	var total time.Duration
	next := 0
	for rest := s; rest != ""; {
		n := 0
		for n < len(rest) && digit(rest[n]) {
			n++
		}
		u := n
		for u < len(rest) && !digit(rest[u]) {
			u++
		}
		count, err := strconv.ParseInt(rest[:n], 10, 64)
		i := next
		for i < len(units) && units[i].name != rest[n:u] {
			i++
		}
		if err != nil || i == len(units) {
			return 0, fmt.Errorf("%q is not a duration such as 1h30m", s)
		}
		if count > int64((1<<63-1-total)/units[i].size) {
			return 0, fmt.Errorf("the duration %q is too long", s)
		}
		total += time.Duration(count) * units[i].size
		next = i + 1
		rest = rest[u:]
	}
	return total, nil
}

// quoted reads the string literal at the start of s: Go's escapes in single and
// double quotes, none in back quotes.
func quoted(s string) (value string, n int, err error) {
	quote := s[0]
	if quote == '`' {
		end := strings.IndexByte(s[1:], '`')
		if end < 0 {
			return "", 0, fmt.Errorf("a string without an end")
		}
		return s[1 : 1+end], end + 2, nil
	}
	var b []byte
	for rest := s[1:]; rest != ""; {
		if rest[0] == quote {
			return string(b), len(s) - len(rest) + 1, nil
		}
		r, multibyte, tail, err := strconv.UnquoteChar(rest, quote)
		if err != nil {
			return "", 0, fmt.Errorf("a string with a bad escape or line break")
		}
		if multibyte {
			b = utf8.AppendRune(b, r)
		} else {
			b = append(b, byte(r))
		}
		rest = tail
	}
	return "", 0, fmt.Errorf("a string without an end")
}
