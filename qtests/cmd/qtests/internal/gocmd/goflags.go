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
	for {
		s = strings.TrimLeft(s, spaces)
		if s == "" {
			return fields, nil
		}
		if quote := s[0]; quote == '"' || quote == '\'' {
			end := strings.IndexByte(s[1:], quote)
			if end < 0 {
				return nil, fmt.Errorf("GOFLAGS: unterminated %c string", quote)
			}
			fields, s = append(fields, s[1:1+end]), s[end+2:]
			continue
		}
		end := strings.IndexAny(s, spaces)
		if end < 0 {
			end = len(s)
		}
		fields, s = append(fields, s[:end]), s[end:]
	}
}

// JoinGOFLAGS is the reverse of SplitGOFLAGS. It cannot write a flag that holds both
// kinds of quotes.
func JoinGOFLAGS(flags []string) (string, error) {
	quoted := make([]string, len(flags))
	for i, f := range flags {
		switch {
		case f != "" && !strings.ContainsAny(f, spaces+`'"`):
			quoted[i] = f
		case !strings.Contains(f, "'"):
			quoted[i] = "'" + f + "'"
		case !strings.Contains(f, `"`):
			quoted[i] = `"` + f + `"`
		default:
			return "", fmt.Errorf("GOFLAGS cannot hold %s, which has both kinds of quotes", f)
		}
	}
	return strings.Join(quoted, " "), nil
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
