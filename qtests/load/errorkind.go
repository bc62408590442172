package load

import (
	"context"
	"errors"
	"net/url"
	"strings"

	"github.com/go-qtests/qtests/qtests/internal/text"
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
	line, _, _ := strings.Cut(err.Error(), "\n")
	return text.Clip(text.OneLine(withoutNumbers(line)), 100)
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
