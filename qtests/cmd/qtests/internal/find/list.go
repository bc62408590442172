package find

import (
	"context"
	"fmt"
	"os/exec"
	"strings"
)

// List lists the tests of a binary whose names a pattern fits; "" fits all.
func List(ctx context.Context, binary, dir, pattern string) ([]string, error) {
	if pattern == "" {
		pattern = "."
	}
	cmd := exec.CommandContext(ctx, binary, "-test.list="+pattern)
	cmd.Dir = dir
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s -test.list: %w", binary, err)
	}
	var names []string
	for line := range strings.Lines(string(out)) {
		if name := strings.TrimSpace(line); strings.HasPrefix(name, "Test") {
			names = append(names, name)
		}
	}
	return names, nil
}
