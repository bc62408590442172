package sysrand

import _ "unsafe"

// runtime_orderedCrypto fills b from the stream of the goroutine, and reports whether
// it is one of an ordered bubble.
//
//go:linkname runtime_orderedCrypto
func runtime_orderedCrypto(b []byte) bool
