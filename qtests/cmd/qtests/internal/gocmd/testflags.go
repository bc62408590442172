package gocmd

import "strings"

// kind is what a flag of go test takes, and whom it concerns.
type kind uint8

const (
	unknown   kind = iota
	boolean        // -x or -x=value
	valued         // -x value or -x=value
	buildBool      // boolean, and the standard library is compiled otherwise with it
	buildValue
	patterned // valued; concerns the standard library only with a pattern of packages
	noBuild   // boolean; a compilation ahead of the test makes no sense with it
)

// kinds are the flags of go test, and for those that the test binary takes their
// names with the prefix test. too. A flag that is missing is one that the go
// command does not know: it belongs to the test binary.
var kinds = func() map[string]kind {
	all := map[string]kind{"a": noBuild, "n": noBuild}
	add := func(k kind, names string) {
		for name := range strings.FieldsSeq(names) {
			all[name] = k
		}
	}
	add(boolean, "c json x work modcacherw buildvcs cover")
	add(valued, "C o exec vet overlay p ldflags gccgoflags covermode coverpkg coverprofile debug-actiongraph debug-runtime-trace debug-trace")
	add(buildBool, "race msan asan trimpath linkshared")
	add(buildValue, "tags mod modfile compiler buildmode installsuffix pgo pkgdir toolexec")
	add(patterned, "gcflags asmflags")
	for prefix := range strings.SplitSeq(",test.", ",") {
		for name := range strings.FieldsSeq("artifacts benchmem failfast fullpath short v") {
			all[prefix+name] = boolean
		}
		for name := range strings.FieldsSeq("bench benchtime blockprofile blockprofilerate count cpu cpuprofile fuzz fuzzminimizetime fuzztime list " +
			"memprofile memprofilerate mutexprofile mutexprofilefraction outputdir parallel run shuffle skip timeout trace") {
			all[prefix+name] = valued
		}
	}
	return all
}()

// TestFlags is what a caller that changes the overlay of go test needs to know of the arguments.
type TestFlags struct {
	// Chdir is the value of -C when it is the first flag, where alone it works.
	Chdir string
	// Overlay is the value of the last -overlay, and HasOverlay whether there is one.
	Overlay    string
	HasOverlay bool
	// Build are the flags that decide how the standard library is compiled, each in
	// the form -name=value.
	Build []string
	// NoBuild says that to compile ahead is of no use: nothing is compiled, or
	// everything anew, or the arguments are wrong.
	NoBuild bool
	// Packages are the patterns of packages.
	Packages []string
	// Args are all arguments but -C and -overlay, unchanged and in their order. Where an -overlay was taken out, -args stands
	// before what is for the test binary: it may have been the flag that told a word of it from a package.
	Args []string
}

// ParseTest reads the arguments of go test as the go command does. Wrong arguments
// are no error here: they stay in Args, where the go command finds them.
func ParseTest(args []string) TestFlags {
	var r testReader
	r.left = r.chdir(args)
	for len(r.left) > 0 && r.next() {
	}
	r.keep(len(r.left))
	return r.TestFlags
}

// A testReader reads the arguments one by one.
type testReader struct {
	TestFlags
	left         []string // not read yet
	packages     bool     // one has been named
	ended        bool     // the packages are over: the next word is for the test binary
	afterUnknown bool     // unless it is the value of an unknown flag before it
}

// next reads a flag or a word. It reports false where the rest is kept unread: it is for the test binary, or it is wrong.
func (r *testReader) next() bool {
	name, value, hasValue, isFlag := cutFlag(r.left[0])
	switch {
	case r.left[0] == "--", name == "args" && !hasValue:
		return false
	case !isFlag:
		return r.word()
	}
	r.ended = r.ended || r.packages
	if k := kinds[name]; k != unknown {
		return r.flag(name, value, hasValue, k)
	}
	r.unknownFlag(name, hasValue)
	return true
}

// unknownFlag reads a flag of the test binary, or one that asks for help.
func (r *testReader) unknownFlag(name string, hasValue bool) {
	r.ended, r.afterUnknown = true, !hasValue
	r.NoBuild = r.NoBuild || name == "h" || name == "help" || name == "?"
	r.keep(1)
}

// word reads what is no flag.
func (r *testReader) word() bool {
	switch {
	case r.ended && !r.afterUnknown:
		if r.HasOverlay {
			r.Args = append(r.Args, "-args")
		}
		return false
	case !r.ended:
		r.Packages, r.packages = append(r.Packages, r.left[0]), true
	}
	r.afterUnknown = false
	r.keep(1)
	return true
}

// flag reads a flag that the go command knows, with its value.
func (r *testReader) flag(name, value string, hasValue bool, k kind) bool {
	r.afterUnknown = false
	n := 1
	if k.takesValue() && !hasValue {
		if len(r.left) < 2 { // the go command says so
			r.NoBuild = true
			return false
		}
		value, n = r.left[1], 2
	}
	if r.take(name, value, hasValue, k) {
		r.left = r.left[n:]
	} else {
		r.keep(n)
	}
	return true
}

// keep moves the next n arguments to Args.
func (r *testReader) keep(n int) {
	r.Args, r.left = append(r.Args, r.left[:n]...), r.left[n:]
}

func (k kind) takesValue() bool { return k == valued || k == buildValue || k == patterned }

// chdir takes the flag -C from the front of args.
func (f *TestFlags) chdir(args []string) []string {
	if len(args) == 0 {
		return args
	}
	switch name, value, hasValue, _ := cutFlag(args[0]); {
	case name != "C":
	case hasValue:
		f.Chdir = value
		return args[1:]
	case len(args) > 1:
		f.Chdir = args[1]
		return args[2:]
	}
	return args
}

// take notes a flag that the go command knows. It reports whether that flag is to be
// left out of Args.
func (f *TestFlags) take(name, value string, hasValue bool, k kind) bool {
	switch {
	case name == "overlay":
		f.Overlay, f.HasOverlay = value, true
		return true
	case name == "C", k == noBuild: // a -C that is not the first flag is an error
		f.NoBuild = true
	case k == buildBool && !hasValue:
		f.Build = append(f.Build, "-"+name+"=true")
	case k == buildBool, k == buildValue, k == patterned && !strings.HasPrefix(value, "-"):
		f.Build = append(f.Build, "-"+name+"="+value)
	}
	return false
}

// cutFlag splits -name=value, with one dash or two.
func cutFlag(arg string) (name, value string, hasValue, isFlag bool) {
	rest, isFlag := strings.CutPrefix(arg, "-")
	if !isFlag {
		return "", "", false, false
	}
	rest = strings.TrimPrefix(rest, "-")
	if rest == "" || rest[0] == '-' || rest[0] == '=' {
		return "", "", false, false
	}
	name, value, hasValue = strings.Cut(rest, "=")
	return name, value, hasValue, true
}
