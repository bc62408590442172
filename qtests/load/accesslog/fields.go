package accesslog

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/go-qtests/qtests/qtests/internal/text"
)

// Fields name the JSON keys or the W3C columns that hold the parts of an entry, for logs whose names
// [Read] does not know. A key of an object within an object is written with dots: "req.peer.addr". A name
// takes the place of all that Read knows for this part; "" leaves them.
type Fields struct {
	Time, Client, Method, Path, Status, Bytes string
}

// fieldNames are the keys or columns of each part of an entry.
type fieldNames struct{ client, method, path, query, status, bytes []string }

// chosen is the user's name, or else the known ones.
func chosen(own string, known []string) []string {
	if own != "" {
		return []string{own}
	}
	return known
}

// fill takes everything but the time from a row of named values.
func (r *reader) fill(e *Entry, row map[string]any, names fieldNames) (err error) {
	if e.Client, err = clientIn(row, chosen(r.Fields.Client, names.client)); err != nil {
		return err
	}
	e.Method, e.Path = find(row, chosen(r.Fields.Method, names.method)), find(row, chosen(r.Fields.Path, names.path))
	if request := find(row, requestLines); request != "" && e.Path == "" {
		if e.Method, e.Path, err = splitRequest(request); err != nil {
			return err
		}
	}
	if e.Path == "" {
		return missing("path", append(chosen(r.Fields.Path, names.path), requestLines...))
	}
	e.Path = origin(e.Path)
	if query := find(row, names.query); query != "" && !strings.Contains(e.Path, "?") {
		e.Path += "?" + strings.TrimPrefix(query, "?")
	}
	if e.Method = strings.ToUpper(e.Method); e.Method == "" {
		e.Method = "GET"
	} else if !isMethod(e.Method) {
		return fmt.Errorf("method %q is not a word", text.Clip(e.Method, 40))
	}
	status, size := find(row, chosen(r.Fields.Status, names.status)), find(row, chosen(r.Fields.Bytes, names.bytes))
	return answer(e, orDash(status), orDash(size))
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// clientIn returns the client of a row: the first address, or else the first name. A value that is
// neither does not hide an address under another key.
func clientIn(row map[string]any, names []string) (string, error) {
	name, wrong := "", ""
	for _, key := range names {
		value := find(row, []string{key})
		if isAddress(value) {
			client, _ := clientOf(value)
			return client, nil
		}
		client, ok := clientOf(value)
		switch {
		case !ok && wrong == "":
			wrong = fmt.Sprintf("%s %q is neither an address nor a name", key, text.Clip(value, 40))
		case ok && name == "":
			name = client
		}
	}
	if name == "" && wrong != "" {
		return "", fmt.Errorf("%s", wrong)
	}
	return name, nil
}

// find returns the first of the named values that is a number or a text. A dash and an empty text are
// none.
func find(row map[string]any, names []string) string {
	for _, name := range names {
		switch v := value(row, name).(type) {
		case string:
			if v != "" && v != "-" {
				return v
			}
		case json.Number:
			return v.String()
		}
	}
	return ""
}

// value returns what a key has, also within objects.
func value(row map[string]any, name string) any {
	if v, ok := row[name]; ok {
		return v
	}
	first, rest, ok := strings.Cut(name, ".")
	if inner, isObject := row[first].(map[string]any); ok && isObject {
		return value(inner, rest)
	}
	return nil
}

// missing is the error of a line without a part that it must have.
func missing(what string, names []string) error {
	shown := names
	const most = 12
	if len(names) > most { // what follows is the same within objects
		shown = names[:most]
	}
	more := ""
	if len(shown) < len(names) {
		more = " and those of the package doc"
	}
	return fmt.Errorf("no %s: want one of %s%s; Reader.Fields names others", what, strings.Join(shown, ", "), more)
}
