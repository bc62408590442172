// Package site describes the places at which the turn may move in user code, the points, and
// says which functions are not the user's.
package site

import (
	"path"
	"strings"
)

// HelperFile begins the name of the file that a package with points has more.
const HelperFile = "zz_qtests_points"

// Helper reports whether a file is such a one: its functions are no code of the user's.
func Helper(file string) bool { return strings.HasPrefix(path.Base(file), HelperFile) }

// Kernels is the package of this library that stands for a user's code.
const Kernels = "github.com/go-qtests/qtests/qtests/internal/kernels"

// Library reports whether a function, in a file, is of this library. Tests are not.
func Library(function, file string) bool {
	return strings.HasPrefix(function, "github.com/go-qtests/qtests/qtests") &&
		!strings.HasPrefix(function, Kernels+".") && !strings.HasSuffix(file, "_test.go")
}

// A Site says what user code does behind a point: the low six bits are its Op, then come
// the size of the value in bytes in four bits, whether it only reads in one, whether the
// value is signed in one, whether it is a pointer in one, the column of the expression in ten,
// and its length in nine.
type Site uint32

// Op is what is done.
type Op uint32

// The order of the first four is known to the runtime.
const (
	MapRead Op = iota
	MapWrite
	Read
	Write
	Send
	Receive
	Close
	Len
	Lock
	Unlock
	RLock
	RUnlock
	TryLock
	Add
	Done
	Wait
	Do
	Signal
	Broadcast
	Get
	Put
	Load
	Store
	Swap
	Compare
	Other
)

const (
	siteSizeShift = 6
	siteReads     = 1 << 10
	siteSigned    = 1 << 11
	sitePointer   = 1 << 12
	siteColShift  = 13
	siteLenShift  = 23
	maxCol        = 1<<(siteLenShift-siteColShift) - 1
	maxLen        = 1<<(32-siteLenShift) - 1
)

// New packs a site. Size is 0 where there is no value of 1, 2, 4 or 8 bytes.
func New(op Op, size int, reads, signed, pointer bool, col, length int) Site {
	s := Site(op) | Site(size)<<siteSizeShift | Site(min(col, maxCol))<<siteColShift | Site(min(length, maxLen))<<siteLenShift
	for bit, on := range map[Site]bool{siteReads: reads, siteSigned: signed, sitePointer: pointer} {
		if on {
			s |= bit
		}
	}
	return s
}

// Op returns what is done.
func (s Site) Op() Op { return Op(s & (1<<siteSizeShift - 1)) }

// Size returns the size of the value in bytes, 0 where none is kept.
func (s Site) Size() int { return int(s >> siteSizeShift & 15) }

// Signed reports whether the value is a signed number.
func (s Site) Signed() bool { return s&siteSigned != 0 }

// Pointer reports whether the value is an address, which is no value to show.
func (s Site) Pointer() bool { return s&sitePointer != 0 }

// In returns the expression, in its line of the source, or "" where the site does not say.
func (s Site) In(line string) string {
	from, n := int(s>>siteColShift&maxCol)-1, int(s>>siteLenShift)
	if from < 0 || from+1 >= maxCol || from >= len(line) {
		return ""
	}
	return strings.TrimSpace(line[from:min(from+n, len(line))])
}
