package load

import (
	"context"
	"errors"
	"net/netip"
	"net/url"
	"regexp"
	"strings"

	"github.com/go-qtests/qtests/qtests/internal/text"
)

// The kinds that KindOf gives by the type of the error and not by its text.
const (
	KindTimeout  = "timeout"
	KindCanceled = "canceled"
)

// KindOf names the kind under which an error is counted:
//
//   - a deadline that passed and a network timeout are "timeout", a cancelled context is
//     "canceled";
//   - of a *url.Error, the error that it wraps is named, without method and URL;
//   - any other kind is the first line of the error. What differs from request to request makes no
//     kinds of its own, and is replaced by #: IP addresses, UUIDs, other long identifiers of
//     hexadecimal digits or of letters and digits, times of RFC 3339, numbers of four digits and more,
//     numbers with three digits and more after the point, and the port of who dialled (":48->"). Control characters and bytes that are no
//     UTF-8 are escaped as Go escapes them. Of a line over 200 bytes the first 140 and the last 57 are
//     left.
//
// A run tells 100 kinds apart and counts the rest as "other".
func KindOf(err error) string {
	_, panicked := err.(*stepPanic)
	switch {
	case panicked: // whatever the value is
	case isTimeout(err):
		return KindTimeout
	case errors.Is(err, context.Canceled):
		return KindCanceled
	}
	var u *url.Error
	if !panicked && errors.As(err, &u) && u.Err != nil {
		err = u.Err
	}
	line, _, _ := strings.Cut(err.Error(), "\n")
	return shortened(text.OneLine(alike(line)))
}

// The length of a kind in bytes, and what of it is left at its beginning and its end. Errors that wrap others
// differ at the end.
const (
	maxKind  = 200
	kindHead = 140
	kindTail = 57
)

func shortened(kind string) string {
	if len(kind) <= maxKind {
		return kind
	}
	return strings.ToValidUTF8(kind[:kindHead], "") + "…" + strings.ToValidUTF8(kind[len(kind)-kindTail:], "")
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
