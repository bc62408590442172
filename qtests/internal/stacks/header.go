package stacks

import (
	"bytes"
	"strconv"
	"strings"
)

// A Header is the first line of a goroutine in a stack dump of the runtime.
// There are two forms of it. The second has the labels behind the bracket, and
// quotes only what needs it:
//
//	goroutine 8 [chan receive (durable), 2 minutes, synctest bubble 3 labels:{"a/b": "c d"}]:	go1.26
//	goroutine 8 [chan receive (durable), 2 minutes, synctest bubble 3] {a/b: "c d"}:	go1.27
//
// The labels are there when the setting tracebacklabels=1 of GODEBUG says so,
// which is the default where the main module says go 1.27. The setting of
// GOTRACEBACK may add addresses between the number and the bracket.
type Header struct {
	ID      uint64
	Bubble  uint64 // 0 outside every bubble
	State   []byte // "chan receive", "sleep", "running", …
	durable bool   // the bubble counts it as blocked, so that time may pass
	labels  []byte // as they are printed, without the braces
}

var (
	goroutineWord = []byte("goroutine ")
	bubbleWord    = []byte("synctest bubble ")
	labelsWord    = []byte(" labels:{")
)

// parseHeader reads a header in any of its forms.
func parseHeader(line []byte) (h Header, ok bool) {
	rest, ok := bytes.CutPrefix(line, goroutineWord)
	if !ok {
		return h, false
	}
	if h.ID, rest, ok = cutNumber(rest); !ok {
		return h, false
	}
	_, rest, ok = bytes.Cut(rest, []byte("["))
	if !ok {
		return h, false
	}
	end := bytes.IndexAny(rest, "]{") // no field has either
	if end < 0 {
		return h, false
	}
	fields := rest[:end]
	if rest[end] == '{' {
		fields, ok = bytes.CutSuffix(rest[:end+1], labelsWord)
		rest, ok = h.cutLabels(rest[end+1:], ok)
		rest, ok = cutIf(rest, "]", ok)
	} else if rest = rest[end+1:]; bytes.HasPrefix(rest, []byte(" {")) {
		rest, ok = h.cutLabels(rest[2:], true)
	}
	if !ok || string(rest) != ":" {
		return h, false
	}
	return h, h.readFields(fields)
}

// readFields reads what stands between the brackets.
func (h *Header) readFields(fields []byte) (ok bool) {
	var more bool
	h.State, fields, more = bytes.Cut(fields, []byte(", "))
	h.State, h.durable = bytes.CutSuffix(h.State, []byte(" (durable)"))
	for more {
		var field []byte
		field, fields, more = bytes.Cut(fields, []byte(", "))
		if number, found := bytes.CutPrefix(field, bubbleWord); found {
			if h.Bubble, number, ok = cutNumber(number); !ok || len(number) > 0 {
				return false
			}
		}
	}
	return len(h.State) > 0
}

// cutLabels takes the labels and the brace behind them off text.
func (h *Header) cutLabels(text []byte, ok bool) (rest []byte, _ bool) {
	if !ok {
		return nil, false
	}
	rest, ok = eachLabel(text, func(_, _ string) {})
	if ok {
		h.labels = text[:len(text)-len(rest)]
	}
	return cutIf(rest, "}", ok)
}

// Label returns the value of the label called key, or "".
func (h *Header) Label(key string) string {
	if len(h.labels) == 0 {
		return ""
	}
	return labelIn(h.labels, key)
}

// labelIn returns the value of the label called key in labels as the runtime
// prints them in a header or a profile, without the braces, or "".
func labelIn(labels []byte, key string) (value string) {
	eachLabel(labels, func(k, v string) {
		if k == key {
			value = v
		}
	})
	return value
}

// eachLabel reads pairs of a key and a value, each of them quoted or not, up to
// a brace or the end of text. A profile has no blank behind the colon.
func eachLabel(text []byte, f func(key, value string)) (rest []byte, ok bool) {
	for {
		var key, value string
		if key, text, ok = cutToken(text); ok {
			text, ok = cutIf(text, ":", ok)
		}
		if ok {
			value, text, ok = cutToken(bytes.TrimPrefix(text, []byte(" ")))
		}
		if !ok {
			return text, false
		}
		f(key, value)
		if text, ok = cutIf(text, ", ", true); !ok {
			return text, len(text) == 0 || text[0] == '}'
		}
	}
}

// cutToken takes a key or a value off text. What is not quoted may be empty.
func cutToken(text []byte) (token string, rest []byte, ok bool) {
	if len(text) == 0 || text[0] != '"' {
		end := bytes.IndexFunc(text, func(r rune) bool {
			return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("./_", r)
		})
		if end < 0 {
			end = len(text)
		}
		return string(text[:end]), text[end:], true
	}
	quoted, err := strconv.QuotedPrefix(string(text))
	if err != nil {
		return "", text, false
	}
	token, err = strconv.Unquote(quoted)
	return token, text[len(quoted):], err == nil
}

// cutIf takes prefix off text, where ok says that text is good so far.
func cutIf(text []byte, prefix string, ok bool) (rest []byte, _ bool) {
	if !ok || len(text) < len(prefix) || string(text[:len(prefix)]) != prefix {
		return text, false
	}
	return text[len(prefix):], true
}

// cutNumber takes the number at the beginning off text.
func cutNumber(text []byte) (n uint64, rest []byte, ok bool) {
	end := 0
	for end < len(text) && text[end] >= '0' && text[end] <= '9' {
		end++
	}
	n, err := strconv.ParseUint(string(text[:end]), 10, 64)
	return n, text[end:], err == nil
}
