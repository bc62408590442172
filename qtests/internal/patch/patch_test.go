package patch

import (
	"os/exec"
	"strings"
	"testing"
)

func goroot(t *testing.T, toolchain string) (root, version string) {
	t.Helper()
	cmd := exec.Command("go", "env", "GOROOT", "GOVERSION")
	if toolchain != "" {
		cmd.Env = append(cmd.Environ(), "GOTOOLCHAIN="+toolchain)
	}
	out, err := cmd.Output()
	if err != nil {
		t.Skipf("go env: %v", err)
	}
	f := strings.Fields(string(out))
	return f[0], f[1]
}

func TestFits(t *testing.T) {
	{
		root, version := goroot(t, "")
		res, err := Apply(root, version)
		for _, p := range res.Places {
			if p.Err != nil {
				t.Errorf("%s: %s:%d: %s: %v", version, p.File, p.Line, p.What, p.Err)
			}
		}
		if err != nil {
			t.Errorf("%v", err)
		}
	}
}
