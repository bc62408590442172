package story

import (
	"os"
	"strings"
)

// Sources returns a reader of single lines of files, which reads each file once. A line that
// is not there is "".
func Sources() func(file string, line int) string {
	files := map[string][]string{}
	return func(file string, line int) string {
		lines, ok := files[file]
		if !ok {
			data, _ := os.ReadFile(file) // without it there are no names of objects
			lines = strings.Split(string(data), "\n")
			files[file] = lines
		}
		if line < 1 || line > len(lines) {
			return ""
		}
		return lines[line-1]
	}
}
