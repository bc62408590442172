// Package kind names the kinds of errors by their text.
package kind

import (
	"net/netip"
	"regexp"
	"strings"

	"github.com/go-qtests/qtests/qtests/internal/text"
)

// Of is the kind of errors whose first line is the given one. It is one printable line of at most 200 bytes. Lines that
// differ only in what is another one for each request, such as an address or an identifier, are of the same kind.
func Of(line string) string { return shortened(text.OneLine(alike(line))) }

// The length of a kind in bytes, and what of it is left at its beginning and its end. Errors that wrap others
// differ at the end.
const (
	most = 200
	head = 140
	tail = 57
)

func shortened(kind string) string {
	if len(kind) <= most {
		return kind
	}
	return strings.ToValidUTF8(kind[:head], "") + "…" + strings.ToValidUTF8(kind[len(kind)-tail:], "")
}

// What differs from request to request, in the order in which it is replaced.
var (
	oneOfMany = regexp.MustCompile(`(?i)[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}` + // UUID
		`|\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?` + // RFC 3339
		`|\b\d{1,3}(?:\.\d{1,3}){3}\b`) // IPv4
	word   = regexp.MustCompile(`[\w.:%]+`)
	number = regexp.MustCompile(`\d+\.\d{3,}|\d{4,}`)
	dialer = regexp.MustCompile(`:\d{1,5}->`)
)

// alike makes the same line of errors that differ only in what is another one for each request.
func alike(line string) string {
	if !strings.ContainsAny(line, "0123456789") {
		return line
	}
	line = dialer.ReplaceAllString(oneOfMany.ReplaceAllString(line, "#"), ":#->")
	line = word.ReplaceAllStringFunc(line, func(w string) string {
		core := strings.TrimRight(w, ".:")
		if a, err := netip.ParseAddr(core); err == nil && a.Is6() {
			return "#" + w[len(core):]
		}
		return identifier.ReplaceAllStringFunc(w, nameless)
	})
	return number.ReplaceAllString(line, "#")
}

// identifier is a run of letters and digits that is too long for a word.
var identifier = regexp.MustCompile(`\b(?:0x[0-9a-fA-F]+|[0-9A-Za-z]{12,})\b`)

// nameless replaces an identifier: a pointer, twelve hexadecimal digits and more with a decimal digit among
// them, or twenty letters and digits with three digits among them.
func nameless(s string) string {
	digits := len(s) - len(strings.Map(func(c rune) rune {
		if c >= '0' && c <= '9' {
			return -1
		}
		return c
	}, s))
	hex := strings.Trim(s, "0123456789abcdefABCDEF") == ""
	if strings.HasPrefix(s, "0x") || hex && digits > 0 || len(s) >= 20 && digits >= 3 {
		return "#"
	}
	return s
}
