package accesslog

import (
	"errors"
	"regexp"
	"strings"
	"time"
)

// balancer is how a line of a load balancer begins. The classic one writes no type in front of the time.
// Name, client and target follow, and three times in seconds.
var balancer = regexp.MustCompile(`^(?:(?:https?|h2|grpcs?|wss?) )?` + isoTime + ` \S+ (?:\S+:\d+|-) (?:\S+:\d+|-) -?[\d.]+ -?[\d.]+ -?[\d.]+ `)

// mayBeBalancer and the like are quick looks, which save the expression for the lines that need it.
func mayBeBalancer(line string) bool {
	_, rest, _ := strings.Cut(line, " ")
	return isDated(line) || isDated(rest)
}

// ofBalancer reads a line of an application or classic load balancer:
//
//	[type] time name client:port target:port times… status target_status received sent "request" …
func (r *reader) ofBalancer(line string) (e Entry, err error) {
	f := words(line)
	if _, err := time.Parse(time.RFC3339, f[0]); err != nil { // the type
		f = f[1:]
	}
	if len(f) < 12 || !strings.HasPrefix(f[11], `"`) {
		return e, errors.New("a line of a load balancer without a quoted request")
	}
	if e.At, err = r.times.in(time.RFC3339, f[0]); err != nil {
		return e, err
	}
	client, ok := clientOf(f[2])
	if !ok {
		return e, errors.New("a line of a load balancer without a client")
	}
	e.Client = client
	if e.Method, e.Path, err = splitRequest(strings.TrimSpace(unquoted(f[11]))); err != nil {
		return e, err
	}
	e.Path = origin(e.Path)
	return e, answer(&e, f[7], f[10])
}

// bucket is how a line of S3 looks: owner bucket [time] client requester request-id operation key …
var bucket = regexp.MustCompile(`^\S+ \S+ \[([^\]]+)\] (\S+) \S+ \S+ (?:REST|SOAP|WEBSITE|BATCH|S3)\.\S+ \S+ `)

func mayBeBucket(line string) bool {
	_, rest, _ := strings.Cut(line, "] ")
	return rest != "" && rest[0] != '"'
}

// ofBucket reads a server access log of S3. What stands before the time there is the owner, and no client.
//
//	… "request" status error bytes size …
func (r *reader) ofBucket(line string) (e Entry, err error) {
	m := bucket.FindStringSubmatch(line)
	if e.At, err = r.times.in(commonTime, m[1]); err != nil {
		return e, err
	}
	client, ok := clientOf(m[2])
	if !ok {
		return e, errors.New("a line of S3 without the address of a client")
	}
	e.Client = client
	request, rest, err := cutRequest(line[len(m[0]):])
	if err != nil {
		return e, err
	}
	if e.Method, e.Path, err = splitRequest(request); err != nil {
		return e, err
	}
	f := words(rest)
	if len(f) < 3 {
		return e, errors.New("no status and bytes after the request")
	}
	return e, answer(&e, f[0], f[2])
}
