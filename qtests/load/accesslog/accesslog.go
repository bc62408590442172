package accesslog

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/go-qtests/qtests/internal/plaintext"
	"github.com/go-qtests/qtests/qtests/internal/usercode"
)

// Limits of [Read].
const (
	// MaxLine is the longest line that is read, in bytes.
	MaxLine = 64 << 10
	// MaxEntries is how many entries a log may have.
	MaxEntries = 2_000_000
)

// Read reads an access log in one of the formats of the package doc. file is the name that errors show.
//
// JSON needs a time and a path, W3C columns as well. A time in JSON is RFC 3339, that of the common log
// format, or a number of seconds, milliseconds, microseconds or nanoseconds since 1970. The keys, the
// first that has a value counts, and those of client, method and path also within request, req, http and
// httpRequest, those of status and bytes within response, res and httpRequest:
//
//	time    StartUTC start_time time ts timestamp @timestamp time_iso8601 msec time_local StartLocal
//	client  client client_ip remote_ip remote_addr clientip clientIp client_addr ClientHost ClientAddr
//	        remoteIp remoteAddr remoteAddress remote_address remote remote_host ip
//	        downstream_remote_address client.ip client.address source.ip source.address
//	        x_forwarded_for http_x_forwarded_for x-forwarded-for
//	method  method request_method RequestMethod requestMethod http_method verb
//	path    request_uri uri path url RequestPath requestUrl request_path url.original url.path,
//	        or a whole request line: request request_line requestLine
//	query   query_string request_query args url.query
//	status  status status_code response_code DownstreamStatus OriginStatus statusCode code
//	bytes   bytes size body_bytes_sent bytes_sent bytes_out DownstreamContentSize OriginContentSize
//	        responseSize response_size body.bytes
//
// An address under any of the keys of the client wins over a name.
//
// Three kinds of lines are skipped: those that do not parse, those longer than MaxLine, and those of a
// wrong year. A year is wrong if more than half of all entries are one group, without a gap of 183 days
// in it, and the entry is over five years away from that group; or if it is over 183 days away, and
// further than the group is long, and one entry in a hundred or fewer are there, or one alone. Skipped
// lines are counted, and the first five are kept. If no line is left, the error is ErrNoEntries joined with these five. Entries are sorted by
// time. More than MaxEntries entries, and an error of r, are errors that name the line.
func Read(file string, r io.Reader) (*Log, error) { return Reader{}.Read(file, r) }

// A Reader reads logs that [Read] does not know. The zero Reader is Read. It is a value and safe for
// concurrent use if Parse is.
type Reader struct {
	// Parse, if set, reads a line, which has neither blanks around it nor a line's end, but what carried
	// it. ErrUnknown leaves the line to the known formats; any other error skips it, and is its reason.
	// An entry without a time or a path is skipped, too. A panic is an error of Read.
	Parse func(line string) (Entry, error)
	// Fields name the keys of JSON, and W3C columns.
	Fields Fields
	// TimeLayout, if set, is tried before the layouts of the formats; see time.Layout.
	TimeLayout string
	// Location is where times without a zone are, as those of HAProxy. W3C columns are always UTC.
	// Default UTC.
	Location *time.Location
}

// ErrUnknown is what Reader.Parse returns for a line that it leaves to the known formats.
var ErrUnknown = errors.New("unknown format: accepted are common and combined log format, also with the virtual host or a list of X-Forwarded-For first, " +
	"S3, ALB and classic ELB, HAProxy, Envoy, W3C columns after #Fields: (IIS, CloudFront), and JSON; " +
	"after a prefix of CRI, docker compose or syslog, too; Reader.Parse reads others")

// errUnknown is a shorter name for the parsers.
var errUnknown = ErrUnknown

// Read reads a log, as the function Read does.
func (r Reader) Read(file string, in io.Reader) (*Log, error) {
	s := reader{Reader: r, file: file, times: timer{r.TimeLayout, r.Location}, lines: lineReader{r: bufio.NewReaderSize(plaintext.NewReader(in), MaxLine+1)}}
	for {
		text, long, err := s.lines.next()
		if err == io.EOF {
			break
		}
		if err == nil {
			err = s.add(bytes.TrimRight(text, "\r\n"), long)
		}
		if err != nil {
			return nil, fmt.Errorf("load: %s:%d: %w", file, s.lines.number, err)
		}
	}
	return s.finish()
}

// A reader reads one log.
type reader struct {
	Reader
	file    string
	lines   lineReader
	times   timer
	columns columns
	parts   map[string]string // of lines that CRI has cut, by stream
	log     Log
	numbers []int // the line of each entry, for entries that are dropped later
}

// add takes a line, which was longer than MaxLine if long. An error ends the reading.
func (r *reader) add(line []byte, long bool) error {
	if len(bytes.TrimSpace(line)) == 0 {
		return nil
	}
	if long {
		r.skip(line, errLong)
		return nil
	}
	entry, err := r.entry(string(line))
	var bug *usercode.PanicError
	switch {
	case err == errPart || err == errDirective:
		return nil
	case errors.As(err, &bug):
		return usercode.Blame("Reader.Parse", bug)
	case err != nil:
		r.skip(line, err)
	case len(r.log.Entries) == MaxEntries:
		return fmt.Errorf("more than %d entries", MaxEntries)
	default:
		r.log.Lines++
		// The parts of an entry must not keep the whole line.
		entry.Client, entry.Method, entry.Path = strings.Clone(entry.Client), strings.Clone(entry.Method), strings.Clone(entry.Path)
		r.log.Entries = append(r.log.Entries, entry)
		r.numbers = append(r.numbers, r.lines.number)
	}
	return nil
}

func (r *reader) skip(line []byte, why error) {
	r.log.Lines++
	r.log.skip(r.file, r.lines.number, line, why.Error())
}

// entry reads a line with the function of the user, or else as one of the known formats.
func (r *reader) entry(line string) (e Entry, err error) {
	if r.Parse != nil {
		err := usercode.Call(func() (err error) {
			e, err = r.Parse(strings.TrimSpace(line))
			return err
		})
		switch {
		case err == nil && e.At.IsZero():
			return e, errors.New("no time: Reader.Parse returned an entry without At")
		case err == nil && e.Path == "":
			return e, errors.New("no path: Reader.Parse returned an entry without Path")
		case !errors.Is(err, ErrUnknown):
			return e, err
		}
	}
	return r.parse(line, 0)
}

// errDirective says that a line is no entry, and that this is no fault.
var errDirective = errors.New("directive")

// parse recognises the format of a line. depth is how many lines of JSON it is wrapped in.
func (r *reader) parse(line string, depth int) (Entry, error) {
	line, err := r.carried(strings.TrimLeft(line, " \t"))
	switch {
	case err != nil:
		return Entry{}, err
	case line == "":
		return Entry{}, errors.New("nothing after the prefix")
	case line[0] == '{':
		return r.ofJSON(line, depth)
	case isDirective(line):
		r.columns.direct(line)
		return Entry{}, errDirective
	case len(r.columns.names) > 0:
		return r.ofColumns(line)
	case mayBeBalancer(line) && balancer.MatchString(line):
		return r.ofBalancer(line)
	case mayBeBucket(line) && bucket.MatchString(line):
		return r.ofBucket(line)
	case mayBeHAProxy(line) && haproxy.MatchString(line):
		return r.ofHAProxy(line)
	case line[0] == '[' && envoy.MatchString(line):
		return r.ofEnvoy(line)
	}
	return r.common(line)
}

// finish returns the log.
func (r *reader) finish() (*Log, error) {
	for range r.parts {
		r.skip(nil, errors.New("a part of a line without its end"))
	}
	log := &r.log
	log.dropWrongYears(r.file, r.numbers)
	if len(log.Entries) == 0 {
		return nil, log.none(r.file)
	}
	log.sort()
	return log, nil
}

// A lineReader reads lines. Of a long one it holds one buffer at most.
type lineReader struct {
	r      *bufio.Reader
	number int
}

// next returns a line, which is valid until the next call, and whether it was longer than the buffer.
// Of a longer line it returns the beginning, and skips the rest.
func (l *lineReader) next() (line []byte, long bool, err error) {
	line, err = l.r.ReadSlice('\n')
	l.number++
	if err == bufio.ErrBufferFull {
		line = bytes.Clone(line[:80])
		for err == bufio.ErrBufferFull {
			_, err = l.r.ReadSlice('\n')
		}
		long = true
	}
	if err == io.EOF && len(line) > 0 {
		err = nil
	}
	return line, long, err
}
