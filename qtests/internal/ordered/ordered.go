// Package ordered is the way to the ordered runtime, where the program runs on it: see
// package patch for what is changed there.
package ordered

import (
	"unsafe" // for go:linkname
)

// hooks is the table of the ordered runtime, which defines the same symbol with data.
// On the stock runtime nobody does, and it is nil. No build tag decides, so that flags
// like -tags stay the user's.
//
//go:linkname hooks runtime.orderedHooks
var hooks *hookTable

// linked tells the ordered runtime that this library is in the binary. Without it, and in
// a binary that go test did not build, that runtime keeps Go's own randomness.
//
//go:linkname linked runtime.orderedLibrary
var linked uint64 = 1

const (
	version = 4
	depth   = 24
)

// hookTable has the layout of the runtime's.
type hookTable struct {
	version uint64
	arm     func(seed uint64, random bool, events unsafe.Pointer) int
	report  func(out *[16 + depth]uint64) bool
	test    func() bool
	_       func(on bool) // every bubble, for the tests of Go itself
	place   func() uint32
	use     func(place uint32)
	alone   func()
	wall    func() int64
	here    func() unsafe.Pointer
	now     func(bubble unsafe.Pointer) int64
	explore func(plan unsafe.Pointer) bool
	check   func(f func())
	quiet   func(on bool)
}

// Available reports whether this test binary runs on the ordered runtime.
func Available() bool {
	return linked == 1 && hooks != nil && hooks.version == version && hooks.test()
}

// TestCommand is the command that runs a test on the runtime that this is.
func TestCommand() string {
	if Available() {
		return "go tool qtests test"
	}
	return "go test"
}
