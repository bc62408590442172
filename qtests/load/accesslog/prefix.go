package accesslog

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// What carries logs puts something of its own in front of each line. A carrier says how that looks.
const (
	isoTime = `\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)`
	color   = `(?:\x1b\[[0-9;]*m)*`
	bsdTime = `[A-Z][a-z]{2} [ \d]\d (?:\d{4} )?\d\d:\d\d:\d\d(?:\.\d+)?`
	tag     = `[\w./@-]+(?:\[\d+\])?: `
)

// A carrier is what something puts in front of a line. may is a quick look, which saves the expression
// for the few lines that need it.
type carrier struct {
	may     func(line string) bool
	pattern *regexp.Regexp
}

// carriers are tried in this order, again and again until none fits.
var carriers = []carrier{
	// docker compose and docker service: web-1  | …, with or without colours.
	{hasBar, regexp.MustCompile(`^` + color + `[\w.@-]+\s+` + color + `\|` + color + `(?: |$)` + color)},
	// kubectl logs --prefix: [pod/name/container] …
	{func(line string) bool { return strings.HasPrefix(line, "[pod/") }, regexp.MustCompile(`^\[pod/[^\] ]+\] `)},
	// Syslog, RFC 5424: <165>1 time host app process message [data] …
	{hasPriority, regexp.MustCompile(`^(?:\d+ )?<\d{1,3}>1 (?:-|` + isoTime + `) \S+ \S+ \S+ \S+ (?:-|(?:\[(?:[^\]\\]|\\.)*\])+) ?(?:\x{feff})?`)},
	// Syslog, RFC 3164, and what rsyslog and journald write: Oct  6 00:17:09 host tag[1]: …
	{isStamped, regexp.MustCompile(`^(?:<\d{1,3}>)?(?:` + bsdTime + `|` + isoTime + `) (?:\S+ )?` + tag)},
	{isStamped, regexp.MustCompile(`^(?:<\d{1,3}>)?` + bsdTime + ` `)},
	// kubectl logs --timestamps, docker logs -t.
	{isDated, regexp.MustCompile(`^` + isoTime + ` `)},
}

func hasBar(line string) bool { return strings.IndexByte(line[:min(len(line), 100)], '|') > 0 }

func hasPriority(line string) bool { return strings.IndexByte(line[:min(len(line), 10)], '<') >= 0 }

// isDated reports whether a line may begin with a time of RFC 3339.
func isDated(line string) bool { return len(line) > 10 && line[4] == '-' && line[10] == 'T' }

// isStamped reports whether a line may begin with a time, or with the priority that syslog puts in front.
func isStamped(line string) bool {
	return line[0] == '<' || isDated(line) || len(line) > 15 && line[3] == ' ' && line[9] == ':' || len(line) > 20 && line[3] == ' ' && line[14] == ':'
}

// cri is the prefix of the container runtime interface. P is a part of a line, F its end.
var cri = regexp.MustCompile(`^` + isoTime + ` (stdout|stderr) ([PF])(?::\S*)?(?: |$)`)

// maxCarriers bounds how many prefixes a line may have.
const maxCarriers = 8

// errPart says that a line goes on in one that comes later.
var errPart = errors.New("part of a line")

// carried returns a line without what carried it. Of a line that CRI has cut it returns errPart until the
// last part comes, and then the whole line.
func (r *reader) carried(line string) (string, error) {
	for range maxCarriers {
		if line == "" {
			break
		}
		if isDated(line) {
			if m := cri.FindStringSubmatchIndex(line); m != nil {
				whole, err := r.join(line[m[2]:m[3]], line[m[4]] == 'P', line[m[1]:])
				if err != nil {
					return "", err
				}
				line = whole
				continue
			}
		}
		n := prefixOf(line)
		if n == 0 {
			break
		}
		line = line[n:]
	}
	return strings.TrimSpace(line), nil
}

// prefixOf returns how long the prefix of a line is. A line of a load balancer begins with a time that is
// its own.
func prefixOf(line string) int {
	if isDated(line) && balancer.MatchString(line) {
		return 0
	}
	for _, c := range carriers {
		if c.may(line) {
			if m := c.pattern.FindStringIndex(line); m != nil {
				return m[1]
			}
		}
	}
	return 0
}

// join puts the parts of a line of a stream together.
func (r *reader) join(stream string, part bool, text string) (string, error) {
	before := r.parts[stream]
	switch {
	case before == "" && !part:
		return text, nil
	case len(before)+len(text) > MaxLine:
		delete(r.parts, stream)
		return "", errLong
	case part:
		if r.parts == nil {
			r.parts = map[string]string{}
		}
		r.parts[stream] = before + text
		return "", errPart
	}
	delete(r.parts, stream)
	return before + text, nil
}

var errLong = fmt.Errorf("longer than %d bytes", MaxLine)
