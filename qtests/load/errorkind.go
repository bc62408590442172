package load

import (
	"context"
	"errors"
	"net"
	"net/url"
	"strings"

	"github.com/go-qtests/qtests/qtests/internal/usercode"
	"github.com/go-qtests/qtests/qtests/load/internal/kind"
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
	return kind.Of(line)
}

// A stepPanic is a panic of the step itself. An error that tells of another panic is an error like others.
type stepPanic struct{ *usercode.PanicError }

// isTimeout reports whether a deadline has passed, of a context or of the network.
func isTimeout(err error) bool {
	var network net.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.As(err, &network) && network.Timeout()
}
