package sysrand

import _ "unsafe"

// runtime_orderedCrypto fills b from the stream of the goroutine, and reports whether
// it is one of an ordered bubble. b does not escape, so that reading allocates nothing.
//
//go:noescape
//go:linkname runtime_orderedCrypto
func runtime_orderedCrypto(b []byte) bool
