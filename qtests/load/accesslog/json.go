package accesslog

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// jsonTimes are the keys of the time. Of Traefik and Envoy the start is better than the end.
var jsonTimes = []string{"StartUTC", "start_time", "time", "ts", "timestamp", "@timestamp", "time_iso8601", "msec", "time_local", "StartLocal"}

// jsonNames are the keys of each field, the best first. Keys of objects within objects are joined by
// dots. The key host is not among them: it is nearly always the server's.
var jsonNames = fieldNames{
	client: within([]string{"", "request.", "req.", "http.", "httpRequest."}, "client", "client_ip", "remote_ip", "remote_addr", "clientip",
		"clientIp", "client_addr", "ClientHost", "ClientAddr", "remoteIp", "remoteAddr", "remoteAddress", "remote_address", "remote",
		"remote_host", "ip", "downstream_remote_address", "client.ip", "client.address", "source.ip", "source.address",
		"x_forwarded_for", "http_x_forwarded_for", "x-forwarded-for"),
	method: within([]string{"", "request.", "req.", "http.", "httpRequest."}, "method", "request_method", "RequestMethod", "requestMethod",
		"http_method", "request.method", "verb"),
	path: within([]string{"", "request.", "req.", "http.", "httpRequest."}, "request_uri", "uri", "path", "url", "RequestPath",
		"requestUrl", "request_path", "url.original", "url.path"),
	query: []string{"query_string", "request_query", "args", "url.query"},
	status: within([]string{"", "response.", "res.", "httpRequest.", "http.response."}, "status", "status_code", "response_code",
		"DownstreamStatus", "OriginStatus", "statusCode", "code"),
	bytes: within([]string{"", "response.", "res.", "httpRequest.", "http.response."}, "bytes", "size", "body_bytes_sent", "bytes_sent",
		"bytes_out", "DownstreamContentSize", "OriginContentSize", "responseSize", "response_size", "body.bytes"),
}

// requestLines are the keys of a whole request line, and wrappers those of a whole line of another format.
var (
	requestLines = []string{"request", "request_line", "requestLine"}
	wrappers     = []string{"log", "message", "MESSAGE"}
)

// within puts each of the prefixes in front of the names.
func within(prefixes []string, names ...string) (all []string) {
	for _, prefix := range prefixes {
		for _, name := range names {
			all = append(all, prefix+name)
		}
	}
	return all
}

// ofJSON reads an object.
func (r *reader) ofJSON(line string, depth int) (e Entry, err error) {
	var row map[string]any
	d := json.NewDecoder(strings.NewReader(line))
	d.UseNumber()
	if err := d.Decode(&row); err != nil {
		return e, fmt.Errorf("JSON: %v", err)
	}
	if d.More() {
		return e, errors.New("JSON: more than one value in the line")
	}
	if r.Fields == (Fields{}) && find(row, jsonNames.path) == "" && find(row, requestLines) == "" {
		if inner := find(row, wrappers); inner != "" && depth < maxCarriers {
			return r.parse(inner, depth+1)
		}
	}
	times := chosen(r.Fields.Time, jsonTimes)
	stamp := find(row, times)
	if stamp == "" {
		return e, missing("time", times)
	}
	if e.At, err = r.times.any(stamp); err != nil {
		return e, err
	}
	return e, r.fill(&e, row, jsonNames)
}
