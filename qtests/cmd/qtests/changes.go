package main

import (
	"fmt"
	goversion "go/version"
	"runtime"

	"github.com/go-qtests/qtests/qtests/cmd/qtests/internal/store"
	"github.com/go-qtests/qtests/qtests/internal/patch"
)

// patches are the changes that make the ordered runtime.
type patches interface {
	store.Patcher
	// Places says where each change goes in a GOROOT, and what does not fit.
	Places(goroot, version string) ([]patch.Place, error)
}

// changes are those of package patch.
type changes struct{}

func (changes) Revision() string { return patch.Revision() }

func (changes) Apply(goroot, version string) (map[string][]byte, error) {
	r, err := patch.Apply(goroot, version)
	if err != nil {
		return nil, explain(err, version, runtime.Version())
	}
	return r.Files, nil
}

func (changes) Places(goroot, version string) ([]patch.Place, error) {
	r, err := patch.Apply(goroot, version)
	if r == nil {
		return nil, err
	}
	return r.Places, explain(err, version, runtime.Version())
}

// explain names the likely cause of a misfit that has nothing to do with the changes:
// sources in a language that is newer than the Go that compiled this program.
func explain(err error, version, own string) error {
	if err == nil || goversion.Compare(own, version) >= 0 {
		return err
	}
	return fmt.Errorf("%w (qtests was compiled by %s and may not read later sources: run go tool qtests in that module instead of -C)", err, own)
}
