package qtests

import (
	cryptorand "crypto/rand"
	"encoding/binary"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"testing"
)

// DefaultSeed is the seed of a run that names none, the same in every run.
const DefaultSeed uint64 = 1

const (
	seedFlag = "qtests.seed"
	seedEnv  = "QTESTS_SEED"
)

// seedSetting holds what -qtests.seed or QTESTS_SEED said. The flag wins.
var seedSetting struct {
	flag seedValue
	once sync.Once
	seed uint64
	err  error
}

// A seedValue is the flag's text; Set rejects what is no seed, so that the flag
// package names the flag in its error.
type seedValue string

func (v *seedValue) String() string { return string(*v) }

func (v *seedValue) Set(s string) error {
	if _, err := parseSeed(s); err != nil {
		return err
	}
	*v = seedValue(s)
	return nil
}

func init() {
	// Only a test binary gets the flags: a program that imports qtests for its
	// breakers or its pool keeps its own command line.
	if testing.Testing() {
		flag.Var(&seedSetting.flag, seedFlag, "seed of every random stream of qtests: a number, or random")
	}
}

func parseSeed(s string) (uint64, error) {
	switch s {
	case "":
		return DefaultSeed, nil
	case "random":
		var b [8]byte
		_, _ = cryptorand.Read(b[:]) // documented never to fail
		return binary.LittleEndian.Uint64(b[:]) >> 32, nil
	}
	seed, err := strconv.ParseUint(s, 0, 64)
	if err != nil {
		return 0, fmt.Errorf("%q is neither a number from 0 to 2^64-1 nor random", s)
	}
	return seed, nil
}

// flagSeed returns the seed of this process. A variable that does not parse
// panics, because every result of the run would carry a seed nobody asked for.
func flagSeed() uint64 {
	s := &seedSetting
	s.once.Do(func() {
		text := string(s.flag)
		if text == "" {
			text = os.Getenv(seedEnv)
		}
		s.seed, s.err = parseSeed(text)
		if s.err != nil {
			s.err = fmt.Errorf("qtests: %s: %w", seedEnv, s.err)
		}
	})
	if s.err != nil {
		panic(s.err)
	}
	return s.seed
}

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
func (s Stream) At(i uint64) *rand.Rand { return rand.New(rand.NewPCG(s.hi, mix64(s.lo+i))) }

// Sub returns the stream called name below s.
func (s Stream) Sub(name string) Stream { return NewStream(s.hi^mix64(s.lo), name) }

// mix64 is the finalizer of SplitMix64 (Steele, Lea and Flood, 2014).
func mix64(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
