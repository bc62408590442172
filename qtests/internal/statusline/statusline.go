// Package statusline knows the status of an HTTP response as a server sends it.
package statusline

import (
	"net/http"
	"strconv"
)

// Of returns the code and its text, "503 Service Unavailable", or "" for a code that
// has no text.
func Of(code int) string {
	if code < 0 || code >= len(lines) {
		return ""
	}
	return lines[code]
}

// lines are those of the codes that have a text: to make one takes two allocations.
var lines = func() (lines [1000]string) {
	for code := 100; code < len(lines); code++ {
		if text := http.StatusText(code); text != "" {
			lines[code] = strconv.Itoa(code) + " " + text
		}
	}
	return lines
}()
