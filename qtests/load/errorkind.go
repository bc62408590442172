package load

import (
	"context"
	"errors"
	"net/url"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Kinds that KindOf gives by the error's type, whatever its text.
const (
	KindTimeout  = "timeout"
	KindCanceled = "canceled"
)

// KindOf names the kind under which an error is counted:
//
//   - a deadline that passed and a network timeout are "timeout", a cancelled
//     context "canceled";
//   - of a *url.Error it names what it wraps, without method and URL;
//   - anything else is its own first line, at most 100 bytes, with numbers of
//     four digits and more replaced by #, so that ports and identifiers make no kinds
//     of their own, and control characters and bytes that are no UTF-8 escaped as
//     Go does.
//
// A run tells 100 kinds apart and counts the rest as "other".
func KindOf(err error) string {
	switch {
	case isTimeout(err):
		return KindTimeout
	case errors.Is(err, context.Canceled):
		return KindCanceled
	}
	var u *url.Error
	if errors.As(err, &u) && u.Err != nil {
		err = u.Err
	}
	text, _, _ := strings.Cut(err.Error(), "\n")
	return clip(oneLine(withoutNumbers(text)), 100)
}

func withoutNumbers(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); {
		j := i
		for j < len(s) && s[j] >= '0' && s[j] <= '9' {
			j++
		}
		switch {
		case j-i >= 4:
			b.WriteByte('#')
		case j > i:
			b.WriteString(s[i:j])
		default:
			b.WriteByte(s[i])
			j++
		}
		i = j
	}
	return b.String()
}

// printable returns a text that somebody else has made, of an error or a panic,
// with control characters, invisible ones and bytes that are no UTF-8 written as Go
// escapes them: raw ones play tricks on terminals and are no XML, in which JUnit
// reports are written. Newlines and tabs, which stacks are made of, stay.
func printable(s string) string {
	plain := func(c rune) bool { return c == '\n' || c == '\t' || unicode.IsGraphic(c) }
	if utf8.ValidString(s) && strings.IndexFunc(s, func(c rune) bool { return !plain(c) }) < 0 {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		c, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case c == utf8.RuneError && size == 1:
			b.WriteString(`\x` + strconv.FormatUint(uint64(s[i]), 16)) // at least 0x80
		case plain(c):
			b.WriteString(s[i : i+size])
		default:
			quoted := strconv.QuoteRune(c)
			b.WriteString(quoted[1 : len(quoted)-1])
		}
		i += size
	}
	return b.String()
}

// oneLine is printable for what has its place in a row of a table or in a comment.
func oneLine(s string) string {
	return strings.NewReplacer("\n", " ", "\t", " ").Replace(printable(s))
}
