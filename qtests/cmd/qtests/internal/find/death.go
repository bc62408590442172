package find

import (
	"bytes"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/go-qtests/qtests/qtests/internal/explore"
	"github.com/go-qtests/qtests/qtests/internal/site"
)

// death reads from the output of a process what has ended it.
func death(output []byte, exit *exec.ExitError) *explore.Failure {
	f := &explore.Failure{Kind: "death", Text: "the process ended in the middle of the run, with the status 0", Full: string(output)}
	if exit != nil {
		f.Text = exit.Error()
	}
	for _, kind := range []string{"fatal error", "panic"} {
		at := startOfLine(output, kind+": ")
		if at < 0 {
			continue
		}
		f.Kind = kind
		text, _, _ := bytes.Cut(output[at+len(kind)+2:], []byte("\n"))
		said, _, _ := strings.Cut(string(text), " [recovered")
		f.Text = strings.TrimSpace(said)
		f.Full = string(output[at:])
		f.Where = userPlace(f.Full)
		return f
	}
	return f
}

func startOfLine(output []byte, text string) int {
	if bytes.HasPrefix(output, []byte(text)) {
		return 0
	}
	if i := bytes.Index(output, []byte("\n"+text)); i >= 0 {
		return i + 1
	}
	return -1
}

// frame is a call in a stack: the function, the file and the line.
var frame = regexp.MustCompile(`(?m)^(?:created by )?(\S+?)(?:\(.*\)| in goroutine \d+)\n\t(.+\.go):(\d+)`)

// userPlace is the first line of a stack that is neither of the standard library nor of what
// was added for the points.
func userPlace(stack string) string {
	for _, m := range frame.FindAllStringSubmatch(stack, -1) {
		file := filepath.ToSlash(m[2])
		if site.Helper(file) || site.Standard(m[1], file) || site.Library(m[1], file) {
			continue
		}
		return filepath.Base(file) + ":" + m[3]
	}
	return ""
}
