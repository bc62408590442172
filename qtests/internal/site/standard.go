package site

import (
	"path"
	"strings"
)

// Standard reports whether a function, in a file, is of the standard library: the file lies
// at the package's path beneath the src of some GOROOT, for the go command takes packages
// from its cache that it has compiled in another one.
func Standard(function, file string) bool {
	if strings.HasPrefix(function, "runtime.") {
		return true
	}
	slash := strings.LastIndex(function, "/") + 1
	name, _, _ := strings.Cut(function[slash:], ".")
	pkg := function[:slash] + name
	first, _, _ := strings.Cut(pkg, "/")
	dir := path.Dir(file)
	// The runtime has functions with the names of other packages.
	return !strings.Contains(first, ".") && (strings.HasSuffix(dir, "/src/"+pkg) || strings.HasSuffix(dir, "/src/runtime"))
}
