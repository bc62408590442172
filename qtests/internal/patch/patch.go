// Package patch changes a few places of the standard library, so that the goroutines of
// a bubble of testing/synctest run one at a time, in an order that a seed decides. It
// reads the sources of the Go that is installed and returns changed text, which the go
// command takes by -overlay. It writes nothing.
//
// A place is found by its syntax: the function, and the statement or expression in it.
// Exactly the expected number must fit, and the result must type-check, or the Go is
// refused: a change in the wrong place would be worse than none. Everything that is
// added stands in files of its own, beneath _std; what is put into the files of the
// standard library are calls of it.
package patch

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"sort"
	"strings"

	"github.com/go-qtests/qtests/qtests/internal/splice"
)

//go:embed all:_std
var added embed.FS

// The sources that find and change the places are part of the revision: a finder is a
// function, and functions cannot be compared.
//
//go:embed change.go places.go source.go
var finders embed.FS

// Place is one place of the standard library that is changed.
type Place struct {
	File string // relative to GOROOT/src, slash-separated
	What string // what is changed there
	Line int    // in the file as it is installed; 0 for an added file
	Err  error  // nil when exactly the expected places fit
}

// Result is the changed text of every file.
type Result struct {
	Files  map[string][]byte // relative to GOROOT/src; changed and added files alike
	Places []Place
}

// Misfit says that a version of Go is not one that this package can change.
type Misfit struct {
	Version string // of Go
	File    string // relative to GOROOT/src
	What    string // the place
	Err     error
}

func (e *Misfit) Error() string {
	return fmt.Sprintf("the ordered runtime does not fit %s: %s: %s: %v", e.Version, e.File, e.What, e.Err)
}

func (e *Misfit) Unwrap() error { return e.Err }

// Revision changes whenever the changes do.
func Revision() string { return revision }

var revision = computeRevision()

func computeRevision() string {
	h := sha256.New()
	for _, name := range addedFiles() {
		fmt.Fprintf(h, "%s\n%s\n", name, addedText(name))
	}
	for _, c := range changes {
		fmt.Fprintf(h, "%v %s %s %d %q\n", c.files, c.in, c.what, c.n, c.text)
	}
	for _, name := range []string{"change.go", "places.go", "source.go"} {
		text, err := finders.ReadFile(name)
		if err != nil {
			panic("patch: " + err.Error()) // the files are part of this binary
		}
		h.Write(text)
	}
	return hex.EncodeToString(h.Sum(nil))[:16]
}

// Apply reads goroot/src and returns the changed and added files. goversion is the version of
// the GOROOT, for messages. The error is a *[Misfit] when any place does not fit or the
// result does not type-check; Places is filled all the same.
func Apply(goroot, goversion string) (*Result, error) {
	src := filepath.Join(goroot, "src")
	res := &Result{Files: map[string][]byte{}}
	sources := map[string]*source{}
	var first *Misfit
	misfit := func(file, what string, err error) {
		if first == nil {
			first = &Misfit{goversion, file, what, err}
		}
	}
	for _, c := range changes {
		file := c.file(src)
		s, err := open(sources, src, file)
		if err == nil {
			var lines []int
			lines, err = c.apply(s)
			for _, line := range lines {
				res.Places = append(res.Places, Place{File: file, What: c.describe(), Line: line})
			}
		}
		if err != nil {
			res.Places = append(res.Places, Place{File: file, What: c.describe(), Err: err})
			misfit(file, c.describe(), err)
		}
	}
	for name, s := range sources {
		res.Files[name] = splice.Apply(s.text, s.splices)
	}
	for _, name := range addedFiles() {
		res.Files[name] = addedText(name)
		p := Place{File: name, What: "added"}
		if _, err := os.Stat(filepath.Join(src, filepath.FromSlash(name))); err == nil {
			p.Err = fmt.Errorf("there is a file of this name")
			misfit(name, p.What, p.Err)
		}
		res.Places = append(res.Places, p)
	}
	if first == nil {
		if file, err := check(src, res.Files); err != nil {
			misfit(file, "types", err)
		}
	}
	if first != nil {
		return res, first
	}
	return res, nil
}

func open(sources map[string]*source, src, file string) (*source, error) {
	if s := sources[file]; s != nil {
		return s, nil
	}
	text, err := os.ReadFile(filepath.Join(src, filepath.FromSlash(file)))
	if err != nil {
		return nil, err
	}
	s, err := parse(file, text)
	if err == nil {
		sources[file] = s
	}
	return s, err
}

// addedFiles lists the files beneath _std, relative to it.
func addedFiles() []string {
	var names []string
	err := fs.WalkDir(added, "_std", func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			names = append(names, strings.TrimPrefix(name, "_std/"))
		}
		return err
	})
	if err != nil {
		panic("patch: " + err.Error()) // the files are part of this binary
	}
	sort.Strings(names)
	return names
}

func addedText(name string) []byte {
	text, err := added.ReadFile(path.Join("_std", name))
	if err != nil {
		panic("patch: " + err.Error())
	}
	return text
}
