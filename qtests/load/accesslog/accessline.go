package accesslog

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/go-qtests/qtests/qtests/internal/text"
)

// commonTime is the time of the common log format.
const commonTime = "02/Jan/2006:15:04:05 -0700"

func parseLine(text []byte) (Entry, error) {
	if text[0] == '{' {
		return parseJSONLine(text)
	}
	return parseCommonLine(string(text))
}

// parseCommonLine reads a line up to the number of bytes. Referrer and agent come after it and are not
// read, so that odd quotes in them do no harm.
//
//	client ident user [time] "METHOD path protocol" status bytes …
func parseCommonLine(line string) (e Entry, err error) {
	client, rest, ok := strings.Cut(line, " ")
	if !ok || client == "" {
		return e, errors.New("no client")
	}
	_, rest, ok = strings.Cut(rest, "[")
	if !ok {
		return e, errors.New("no [time]")
	}
	stamp, rest, ok := strings.Cut(rest, "]")
	if !ok {
		return e, errors.New("no ] after the time")
	}
	at, err := time.Parse(commonTime, stamp)
	if err != nil {
		return e, fmt.Errorf("time %q is not like 02/Jan/2006:15:04:05 -0700", text.Clip(stamp, 40))
	}
	request, rest, err := cutRequest(rest)
	if err != nil {
		return e, err
	}
	method, path, err := splitRequest(request)
	if err != nil {
		return e, err
	}
	fields := strings.Fields(rest)
	if len(fields) < 2 {
		return e, errors.New("no status and bytes after the request")
	}
	status, err := parseStatus(fields[0])
	if err != nil {
		return e, err
	}
	size := int64(0)
	if fields[1] != "-" {
		if size, err = strconv.ParseInt(fields[1], 10, 64); err != nil || size < 0 {
			return e, fmt.Errorf("bytes %q are neither a number nor -", text.Clip(fields[1], 20))
		}
	}
	return Entry{At: at, Client: strings.Clone(client), Method: method, Path: path, Status: status, Bytes: size}, nil
}

// cutRequest returns what is between the quotes, and what comes after. Clients do send quotes, so the
// closing one is the first that no backslash escapes and that a space and a digit follow.
func cutRequest(s string) (request, rest string, err error) {
	_, s, ok := strings.Cut(s, `"`)
	if !ok {
		return "", "", errors.New("no quoted request")
	}
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\':
			i++
		case s[i] == '"' && i+2 < len(s) && s[i+1] == ' ' && s[i+2] >= '0' && s[i+2] <= '9':
			return s[:i], s[i+1:], nil
		}
	}
	return "", "", errors.New("no end of the quoted request")
}

func splitRequest(request string) (method, path string, err error) {
	method, path, ok := strings.Cut(request, " ")
	if i := strings.LastIndex(path, " HTTP/"); i >= 0 {
		path = path[:i]
	}
	switch {
	case !ok || path == "":
		return "", "", fmt.Errorf("request %q is not a method and a path", text.Clip(request, 40))
	case strings.Trim(method, "ABCDEFGHIJKLMNOPQRSTUVWXYZ-_") != "":
		return "", "", fmt.Errorf("method %q is not in capitals", text.Clip(method, 40))
	}
	return strings.Clone(method), strings.Clone(path), nil
}

func parseJSONLine(line []byte) (e Entry, err error) {
	var fields map[string]any
	d := json.NewDecoder(bytes.NewReader(line))
	d.UseNumber()
	if err := d.Decode(&fields); err != nil {
		return e, fmt.Errorf("JSON: %v", err)
	}
	if d.More() {
		return e, errors.New("JSON: more than one value in the line")
	}
	get := func(names ...string) string { return firstOf(fields, names) }
	if e.At, err = parseTime(get("time", "ts", "timestamp", "@timestamp")); err != nil {
		return e, err
	}
	e.Client = get("client", "remote_addr", "ip", "host")
	e.Method = get("method", "request_method")
	if e.Method == "" {
		e.Method = "GET"
	}
	if e.Path = get("path", "uri", "url", "request_uri"); e.Path == "" {
		return e, errors.New("no path")
	}
	if s := get("status"); s != "" {
		if e.Status, err = parseStatus(s); err != nil {
			return e, err
		}
	}
	if s := get("bytes", "size", "body_bytes_sent"); s != "" && s != "-" {
		if e.Bytes, err = strconv.ParseInt(s, 10, 64); err != nil || e.Bytes < 0 {
			return e, fmt.Errorf("bytes %q are not a number", text.Clip(s, 20))
		}
	}
	return e, nil
}

// firstOf returns the first of the named fields that is a string or a number, or nothing.
func firstOf(fields map[string]any, names []string) string {
	for _, name := range names {
		switch v := fields[name].(type) {
		case string:
			return v
		case json.Number:
			return v.String()
		}
	}
	return ""
}

func parseStatus(s string) (int, error) {
	n, err := strconv.Atoi(s)
	if err != nil || n < 100 || n > 999 {
		return 0, fmt.Errorf("status %q is not a number from 100 to 999", text.Clip(s, 20))
	}
	return n, nil
}

func parseTime(s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, errors.New("no time")
	}
	if t, err := time.Parse(time.RFC3339Nano, s); err == nil {
		return t, nil
	}
	if t, err := time.Parse(commonTime, s); err == nil {
		return t, nil
	}
	if x, err := strconv.ParseFloat(s, 64); err == nil && math.Abs(x) < 1e11 {
		whole, fraction := math.Modf(x)
		return time.Unix(int64(whole), int64(math.Round(fraction*1e6))*1000).UTC(), nil
	}
	return time.Time{}, fmt.Errorf("time %q is neither RFC 3339, nor like 02/Jan/2006:15:04:05 -0700, nor seconds since 1970", text.Clip(s, 40))
}
