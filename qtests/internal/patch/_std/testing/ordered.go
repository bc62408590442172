package testing

import _ "unsafe"

// The runtime reads it, to know a test binary before anything runs.
//
//go:linkname testBinary
