package text

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// Label returns a name as the label of a metric can have it: as it is, or quoted as in Go
// where it is not UTF-8. A name that begins with a quote is quoted too, so that different
// names have different labels.
func Label(name string) string {
	if utf8.ValidString(name) && !strings.HasPrefix(name, `"`) {
		return name
	}
	return strconv.Quote(name)
}
