package text

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Clip cuts a text after n bytes and marks the cut with an ellipsis. A letter that the
// cut would divide becomes a question mark.
func Clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "?") + "…"
}

// Printable writes a foreign text, such as the text of an error or a panic, so that it can
// be shown everywhere: control characters, invisible ones and bytes that are no UTF-8
// are escaped as Go escapes them. Raw ones play tricks on terminals, and XML, in which
// JUnit reports are written, forbids them. Newlines and tabs stay, because stacks are
// made of them.
func Printable(s string) string {
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

// OneLine is [Printable] with blanks in place of newlines and tabs, for the row of a
// table or a comment.
func OneLine(s string) string {
	return strings.NewReplacer("\n", " ", "\t", " ").Replace(Printable(s))
}

// SortedKeys returns the keys of a map in rising order.
func SortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
