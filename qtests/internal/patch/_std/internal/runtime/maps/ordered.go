package maps

import _ "unsafe"

//go:linkname orderedSeed runtime.orderedSeed
func orderedSeed() uint64

//go:linkname orderedHashKey runtime.orderedHashKey
func orderedHashKey() uint64
