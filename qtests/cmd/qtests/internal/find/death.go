package find

import (
	"bytes"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"

	"github.com/go-qtests/qtests/qtests/internal/explore"
	"github.com/go-qtests/qtests/qtests/internal/site"
)

// death reads from the output of a process what has ended it.
func death(output []byte, exit *exec.ExitError) *explore.Failure {
	f := &explore.Failure{Kind: "death", Text: fmt.Sprint(exit), Full: string(output)}
	for _, kind := range []string{"fatal error", "panic"} {
		at := startOfLine(output, kind+": ")
		if at < 0 {
			continue
		}
		f.Kind = kind
		text, _, _ := bytes.Cut(output[at+len(kind)+2:], []byte("\n"))
		f.Text = strings.TrimSpace(string(text))
		if i := strings.Index(f.Text, " [recovered"); i > 0 {
			f.Text = f.Text[:i]
		}
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

// frame is a line of a stack that names a file.
var frame = regexp.MustCompile(`(?m)^\t(.+\.go):(\d+)`)

// userPlace is the first line of a stack that is neither of the standard library nor of what
// was added for the points.
func userPlace(stack string) string {
	for _, m := range frame.FindAllStringSubmatch(stack, -1) {
		file := filepath.ToSlash(m[1])
		if site.Helper(file) || isStandardFile(file) || strings.Contains(file, "/qtests/qtests/") && !strings.HasSuffix(file, "_test.go") && !strings.Contains(file, "/kernels/") {
			continue
		}
		return filepath.Base(file) + ":" + m[2]
	}
	return ""
}

// isStandardFile reports whether a file is of a standard library, this one's or the one that
// is compiled.
func isStandardFile(file string) bool {
	root := filepath.ToSlash(runtime.GOROOT())
	if root != "" && strings.HasPrefix(file, root+"/src/") {
		return true
	}
	for _, dir := range []string{"/src/runtime/", "/src/sync/", "/src/internal/", "/src/testing/", "/src/context/", "/src/time/"} {
		if strings.Contains(file, dir) && strings.Contains(file, "go") && !strings.Contains(file, "@") {
			return true
		}
	}
	return strings.Contains(file, "/golang.org/toolchain@")
}
