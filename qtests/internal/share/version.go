package share

import (
	"runtime/debug"
	"strings"
)

const module = "github.com/go-qtests/qtests"

// ModuleVersion is the version of this module in the present program, or "devel".
func ModuleVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "devel"
	}
	for _, m := range append(info.Deps, &info.Main) {
		if m.Path == module && m.Version != "" && !strings.HasPrefix(m.Version, "(") {
			return m.Version
		}
	}
	return "devel"
}
