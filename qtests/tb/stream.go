package tb

import "math/rand/v2"

// A Stream is a source of random numbers that depends on a seed and a name and
// on nothing else, so that adding another stream changes no draw of this one.
// It is a value: copy it freely and use it from any goroutine. The generators
// it returns belong to one goroutine each.
type Stream struct{ hi, lo uint64 }

// NewStream derives the stream called name from seed.
func NewStream(seed uint64, name string) Stream {
	// FNV-1a over the name, then SplitMix64's finalizer over seed and hash: the
	// finalizer is what keeps neighbouring seeds apart.
	h := uint64(14695981039346656037)
	for i := range len(name) {
		h = (h ^ uint64(name[i])) * 1099511628211
	}
	return Stream{hi: mix64(seed), lo: mix64(seed ^ mix64(h))}
}

// Rand returns a new generator at the start of the stream.
func (s Stream) Rand() *rand.Rand { return rand.New(rand.NewPCG(s.hi, s.lo)) }

// At returns the generator of the i-th draw: what the i-th request, user or
// connection draws does not depend on the order in which they run.
func (s Stream) At(i uint64) *rand.Rand {
	both := &struct { // one allocation
		source rand.PCG
		rand   rand.Rand
	}{}
	both.source.Seed(s.hi, mix64(s.lo+i))
	both.rand = *rand.New(&both.source)
	return &both.rand
}

// Sub returns the stream called name below s.
func (s Stream) Sub(name string) Stream { return NewStream(s.hi^mix64(s.lo), name) }

// mix64 is the finalizer of SplitMix64 (Steele, Lea and Flood, 2014).
func mix64(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
