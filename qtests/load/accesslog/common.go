package accesslog

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/go-qtests/qtests/qtests/internal/text"
)

// common reads a line in common log format, up to the number of bytes. Referrer and agent come after it
// and are not read, so that odd quotes in them do no harm.
//
//	client ident user [time] "METHOD path protocol" status bytes …
func (r *reader) common(line string) (e Entry, err error) {
	head, stamp, rest, err := cutTime(line)
	if err != nil {
		return e, err
	}
	if e.At, err = r.commonTime(stamp); err != nil {
		return e, err
	}
	if e.Client, err = clientBefore(head); err != nil {
		return e, fmt.Errorf("%w; accepted before the time are: %s", err, acceptedHeads)
	}
	request, rest, err := cutRequest(rest)
	if err != nil {
		return e, err
	}
	if e.Method, e.Path, err = splitRequest(request); err != nil {
		return e, err
	}
	fields := strings.Fields(rest)
	if len(fields) < 2 {
		return e, errors.New("no status and bytes after the request")
	}
	return e, answer(&e, fields[0], fields[1])
}

// acceptedHeads is for the errors about what stands before the time.
const acceptedHeads = `"client ident user", "host:port client ident user", "host address ident user", and a list of addresses for the client`

// commonTime reads the time in brackets. nginx may write RFC 3339 there.
func (r *reader) commonTime(stamp string) (time.Time, error) {
	if isDated(stamp) {
		return r.times.in(time.RFC3339, stamp)
	}
	return r.times.in(commonTime, stamp)
}

// timeAt returns where the time in brackets is, or -1. It begins with day/month/ or with year-month-. A user
// may have brackets in the name.
func timeAt(line string) int {
	for i := range len(line) - len("[02/Jan/2006") {
		if line[i] == '[' && (line[i+3] == '/' && line[i+7] == '/' || isDated(line[i+1:])) {
			return i
		}
	}
	return -1
}

// cutTime divides a line at its time in brackets.
func cutTime(line string) (head, stamp, rest string, err error) {
	at := timeAt(line)
	if at < 0 {
		return "", "", "", errUnknown
	}
	head, rest = line[:at], line[at+1:]
	stamp, rest, ok := strings.Cut(rest, "]")
	if !ok {
		return "", "", "", errors.New("no ] after the time")
	}
	return head, stamp, rest, nil
}

// cutRequest returns what is between the quotes, and what comes after. Clients do send quotes, so the
// closing one is the first that no backslash escapes and that a blank and a status follow.
func cutRequest(s string) (request, rest string, err error) {
	_, s, ok := strings.Cut(s, `"`)
	if !ok {
		return "", "", errors.New("no quoted request")
	}
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\':
			i++
		case s[i] == '"' && i+2 < len(s) && s[i+1] == ' ' && (s[i+2] >= '0' && s[i+2] <= '9' || s[i+2] == '-'):
			return s[:i], s[i+1:], nil
		}
	}
	return "", "", errors.New("no end of the quoted request")
}

// splitRequest splits a request line: METHOD path protocol.
func splitRequest(request string) (method, path string, err error) {
	method, path, ok := strings.Cut(request, " ")
	if i := strings.LastIndex(path, " HTTP/"); i >= 0 {
		path = path[:i]
	}
	switch {
	case !ok || path == "" || path == "-":
		return "", "", fmt.Errorf("request %q is not a method and a path", text.Clip(request, 40))
	case !isMethod(method):
		return "", "", fmt.Errorf("method %q is not in capitals", text.Clip(method, 40))
	}
	return method, path, nil
}

func isMethod(s string) bool {
	return strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ-_") == "" && strings.Trim(s, "-_") != ""
}

// origin returns a URL without scheme, user, host and port: what the server was asked for. Some formats
// write them in front of every path.
func origin(url string) string {
	scheme, rest, ok := strings.Cut(url, "://")
	if !ok || strings.Trim(scheme, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
		return url
	}
	if i := strings.IndexAny(rest, "/?"); i >= 0 {
		if rest[i] == '?' {
			return "/" + rest[i:]
		}
		return rest[i:]
	}
	return "/"
}

// answer reads the status and the size of the answer.
func answer(e *Entry, status, size string) (err error) {
	if e.Status, err = parseStatus(status); err != nil {
		return err
	}
	e.Bytes, err = parseBytes(size)
	return err
}

// parseStatus reads a status. A server that sent none writes -, a zero or, as HAProxy does, -1.
func parseStatus(s string) (int, error) {
	if s == "-" || s == "-1" || s != "" && strings.Trim(s, "0") == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 100 || n > 999 {
		return 0, fmt.Errorf("status %q is not a number from 100 to 999", text.Clip(s, 20))
	}
	return n, nil
}

// parseBytes reads a size. HAProxy marks one that grew after it was logged with a plus.
func parseBytes(s string) (int64, error) {
	if s == "-" {
		return 0, nil
	}
	n, err := strconv.ParseInt(strings.TrimPrefix(s, "+"), 10, 64)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("bytes %q are neither a number nor -", text.Clip(s, 20))
	}
	return n, nil
}

// unquoted returns a word of words without its quotes.
func unquoted(s string) string {
	if len(s) > 1 && s[0] == '"' && s[len(s)-1] == '"' {
		return s[1 : len(s)-1]
	}
	return s
}
