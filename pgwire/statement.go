package pgwire

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgtype"
)

// A statement is one that was parsed.
type statement struct {
	text   string
	words  []string // the first two, in capitals
	rows   bool     // it answers with rows
	params []uint32 // the types of its parameters, 0 where not known
}

// copying is what pgx prepares for CopyFrom, to learn the types of the columns.
var copying = regexp.MustCompile(`^select "[^"]*"(, "[^"]*")* from "[^"]*"(\."[^"]*")*$`)

// answering are the first words of statements that answer with rows.
var answering = map[string]bool{"SELECT": true, "WITH": true, "VALUES": true, "TABLE": true, "SHOW": true, "FETCH": true, "EXPLAIN": true}

// parse reads a statement. Types that the client gives precede those of casts.
func parse(types *pgtype.Map, text string, given []uint32) *statement {
	code := blank(text)
	s := &statement{text: text, params: parameters(types, code, given)}
	upper := strings.Fields(strings.ToUpper(strings.ReplaceAll(code, "(", " ( ")))
	for _, word := range upper {
		if word != "(" && len(s.words) < 2 {
			s.words = append(s.words, strings.TrimSuffix(word, ";"))
		}
		s.rows = s.rows || word == "RETURNING"
	}
	s.rows = s.rows || answering[s.word(0)]
	return s
}

// word is one of the first two words, "" if there is none.
func (s *statement) word(i int) string {
	if i < len(s.words) {
		return s.words[i]
	}
	return ""
}

// tag is what the client hears when the statement is done.
func (s *statement) tag(n int64) string {
	switch word := s.word(0); {
	case word == "INSERT":
		return "INSERT 0 " + strconv.FormatInt(n, 10)
	case word == "UPDATE" || word == "DELETE" || word == "MERGE" || word == "FETCH":
		return word + " " + strconv.FormatInt(n, 10)
	case s.rows:
		return "SELECT " + strconv.FormatInt(n, 10)
	default:
		return strings.Join(s.words, " ")
	}
}

// parameter finds $1 and $1::jsonb.
var parameter = regexp.MustCompile(`\$(\d+)(?:::([A-Za-z_]\w*(?:\[\])?))?`)

// maxParameters is PostgreSQL's limit.
const maxParameters = 65535

func parameters(types *pgtype.Map, code string, given []uint32) []uint32 {
	all := append([]uint32(nil), given...)
	for _, m := range parameter.FindAllStringSubmatch(code, -1) {
		n, err := strconv.Atoi(m[1])
		if err != nil || n < 1 || n > maxParameters {
			continue
		}
		for len(all) < n {
			all = append(all, 0)
		}
		if all[n-1] == 0 && m[2] != "" {
			all[n-1] = oidOf(types, m[2])
		}
	}
	return all
}

// oidOf returns the number of a type by its name, 0 if pgx does not know it.
func oidOf(types *pgtype.Map, name string) uint32 {
	name = strings.ToLower(name)
	if base, array := strings.CutSuffix(name, "[]"); array {
		name = "_" + alias(base)
	}
	if t, ok := types.TypeForName(alias(name)); ok {
		return t.OID
	}
	return 0
}

// alias returns what pgx calls a type of the standard.
func alias(name string) string {
	switch name {
	case "int", "integer":
		return "int4"
	case "bigint":
		return "int8"
	case "smallint":
		return "int2"
	case "real":
		return "float4"
	case "boolean":
		return "bool"
	case "decimal":
		return "numeric"
	}
	return name
}

// split returns the statements of a text that has several.
func split(text string) (all []string) {
	code, start := blank(text), 0
	for i := 0; i <= len(code); i++ {
		if i < len(code) && code[i] != ';' {
			continue
		}
		if strings.TrimSpace(code[start:i]) != "" {
			all = append(all, strings.TrimSpace(text[start:i]))
		}
		start = i + 1
	}
	return all
}

// blank returns the text, of the same length, with spaces for comments and quotation marks for what is in quotes.
func blank(text string) string {
	out := []byte(text)
	for i := 0; i < len(text); {
		n := quoted(text[i:])
		if n == 0 {
			i++
			continue
		}
		fill := byte('"')
		if text[i] == '-' || text[i] == '/' {
			fill = ' '
		}
		for ; n > 0; n, i = n-1, i+1 {
			out[i] = fill
		}
	}
	return string(out)
}

var dollar = regexp.MustCompile(`^\$(?:[A-Za-z_]\w*)?\$`)

// quoted returns how long the quote or comment is with which the text begins, 0 if it begins with none.
func quoted(text string) int {
	to := func(from int, end string) int {
		if i := strings.Index(text[from:], end); i >= 0 {
			return from + i + len(end)
		}
		return len(text)
	}
	switch {
	case strings.HasPrefix(text, "'"):
		return to(1, "'") // a doubled one begins another quote
	case strings.HasPrefix(text, `"`):
		return to(1, `"`)
	case strings.HasPrefix(text, "--"):
		return to(2, "\n")
	case strings.HasPrefix(text, "/*"):
		return to(2, "*/")
	}
	if tag := dollar.FindString(text); tag != "" {
		return to(len(tag), tag)
	}
	return 0
}
