package template

import (
	"fmt"
	"math"
	"strings"
	"unicode"
)

// humanize writes a number with four digits and a prefix of the base, 1000 or 1024.
func humanize(v, base float64) string {
	small := math.Abs(v) < 1
	if v == 0 || math.IsNaN(v) || math.IsInf(v, 0) || base == 1024 && small {
		return fmt.Sprintf("%.4g", v)
	}
	prefix := ""
	if small {
		for _, p := range "munpfazy" {
			if math.Abs(v) >= 1 {
				break
			}
			prefix, v = string(p), v*base
		}
		return fmt.Sprintf("%.4g%s", v, prefix)
	}
	for _, p := range "kMGTPEZY" {
		if math.Abs(v) < base {
			break
		}
		prefix, v = string(p), v/base
	}
	if base == 1024 && prefix != "" {
		prefix += "i"
	}
	return fmt.Sprintf("%.4g%s", v, prefix)
}

// title makes the first letter of every word a capital, and leaves the others as they
// are. Digits, underscores, marks and one apostrophe, point or colon do not end a word.
func title(text string) string {
	var b strings.Builder
	inWord, joined := false, false
	for _, r := range text {
		joins := strings.ContainsRune("'.:·’‘․", r)
		switch {
		case unicode.IsUpper(r) || unicode.IsLower(r) || unicode.IsTitle(r):
			if !inWord {
				r = unicode.ToTitle(r)
			}
			inWord = true
		case joins:
			inWord = inWord && !joined
		case r != '_' && !unicode.In(r, unicode.Nd, unicode.M):
			inWord = false
		}
		joined = joins
		b.WriteRune(r)
	}
	return b.String()
}
