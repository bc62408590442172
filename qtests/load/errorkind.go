package load

import (
	"context"
	"errors"
	"net/url"
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
//   - any other kind is the first line of the error, at most 100 bytes. Numbers of four digits and
//     more are replaced by #, so that ports and identifiers make no kinds of their own. Control
//     characters and bytes that are no UTF-8 are escaped as Go escapes them.
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
