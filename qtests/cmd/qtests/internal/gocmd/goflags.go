package gocmd

import (
	"fmt"
	"strings"
)

const spaces = " \t\n\r"

// SplitGOFLAGS splits the value of GOFLAGS as the go command does: at white space,
// where a field may be wrapped in single or double quotes, without any escapes.
func SplitGOFLAGS(s string) ([]string, error) {
	var fields []string
	for s = strings.TrimLeft(s, spaces); s != ""; s = strings.TrimLeft(s, spaces) {
		field, rest, err := cutField(s)
		if err != nil {
			return nil, err
		}
		fields, s = append(fields, field), rest
	}
	return fields, nil
}

// cutField cuts the first field off a text that does not begin with white space.
func cutField(s string) (field, rest string, err error) {
	if quote := s[:1]; quote == `"` || quote == "'" {
		field, rest, ended := strings.Cut(s[1:], quote)
		if !ended {
			return "", "", fmt.Errorf("GOFLAGS: unterminated %s string", quote)
		}
		return field, rest, nil
	}
	end := strings.IndexAny(s, spaces)
	if end < 0 {
		end = len(s)
	}
	return s[:end], s[end:], nil
}

// JoinGOFLAGS is the reverse of SplitGOFLAGS. It cannot write a flag that holds both
// kinds of quotes.
func JoinGOFLAGS(flags []string) (joined string, err error) {
	quoted := make([]string, len(flags))
	for i, f := range flags {
		if quoted[i], err = quote(f); err != nil {
			return "", err
		}
	}
	return strings.Join(quoted, " "), nil
}

// quote puts a flag in quotes if it needs them.
func quote(flag string) (string, error) {
	switch {
	case flag != "" && !strings.ContainsAny(flag, spaces+`'"`):
		return flag, nil
	case !strings.Contains(flag, "'"):
		return "'" + flag + "'", nil
	case !strings.Contains(flag, `"`):
		return `"` + flag + `"`, nil
	}
	return "", fmt.Errorf("GOFLAGS cannot hold %s, which has both kinds of quotes", flag)
}

// CutOverlay takes every -overlay out of the flags of GOFLAGS. It returns the value
// of the last one, which is the one that counts, and the other flags.
func CutOverlay(flags []string) (overlay string, others []string) {
	for _, f := range flags {
		if name, value, _, _ := cutFlag(f); name == "overlay" {
			overlay = value
		} else {
			others = append(others, f)
		}
	}
	return overlay, others
}
