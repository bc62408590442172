// Package settings reads the flags and the variables that set seeds, limits and scales.
package settings

import (
	cryptorand "crypto/rand"
	"encoding/binary"
	"flag"
	"fmt"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/go-qtests/qtests/qtests/internal/explore"
)

// DefaultSeed is tb.DefaultSeed.
const DefaultSeed uint64 = 1

// DefaultStall is qtests.DefaultStallLimit.
const DefaultStall = 10 * time.Second

// The settings of a run. Each is a flag of the test binary and a variable, which
// reaches every package of a repository, also those that do not import qtests
// and would refuse the flag. The flag wins.
var (
	Seed   = newSetting("qtests.seed", "QTESTS_SEED", "seed of every random stream: a number, or random", DefaultSeed, parseSeed)
	Seeds  = newSetting("qtests.seeds", "QTESTS_SEEDS", "run every bubble under this many seeds, from the seed on", 1, parseCount)
	Verify = newSetting("qtests.verify", "QTESTS_VERIFY", "run every bubble twice and fail at the first event that differs", false, strconv.ParseBool)
	Strict = newSetting("qtests.strict", "QTESTS_STRICT", "fail a run on the ordered runtime when something in it could not be ordered", false, strconv.ParseBool)
	Stall  = newSetting("qtests.stall", "QTESTS_STALL", "real time that a bubble may stand still before its test fails; 0 for ever", DefaultStall, parseLimit)

	Explore = newSetting("qtests.explore", "QTESTS_EXPLORE", "how the ordered runtime makes its choices: fifo, random, pct, pct:d/k or pos", explore.Spec{}, explore.Parse)
	Replay  = newSetting("qtests.replay", "QTESTS_REPLAY", "file of choices that repeats a run on the ordered runtime", "", parseText)
)

// A setting is one value that a flag or a variable sets, read once.
type setting[V any] struct {
	Flag, env string
	parse     func(string) (V, error)
	value     V
	given     bool // by the flag
	Random    bool // drawn
	once      sync.Once
	err       error
}

func newSetting[V any](name, env, usage string, value V, parse func(string) (V, error)) *setting[V] {
	s := &setting[V]{Flag: name, env: env, parse: parse, value: value}
	flags = append(flags, func() { flag.Var(s, name, usage+" (variable "+env+")") })
	return s
}

var flags []func()

// AddFlags makes the settings flags of the process. It is for a test binary: a program
// that has the breakers or the pool keeps its own command line.
func AddFlags() {
	for _, add := range flags {
		add()
	}
}

// String is the flag's value, for the flag package.
func (s *setting[V]) String() string {
	if s == nil {
		return "" // the flag package asks a zero value
	}
	return fmt.Sprint(s.value)
}

// Set is called by the flag package, which adds the flag's name to the error.
func (s *setting[V]) Set(text string) error {
	v, err := s.parse(text)
	if err == nil {
		s.value, s.given, s.Random = v, true, text == "random"
	}
	return err
}

// IsBoolFlag lets -qtests.verify stand without a value.
func (s *setting[V]) IsBoolFlag() bool {
	_, ok := any(s.value).(bool)
	return ok
}

// Get returns the value. A variable that does not parse ends the process, as a
// flag does: the run would have settings that the user did not ask for.
func (s *setting[V]) Get() V {
	s.once.Do(func() {
		text := os.Getenv(s.env)
		if s.given || text == "" {
			return
		}
		if err := s.Set(text); err != nil {
			s.err = fmt.Errorf("qtests: %s: %w", s.env, err)
		}
	})
	if s.err != nil {
		fmt.Fprintln(os.Stderr, s.err)
		os.Exit(2)
	}
	return s.value
}

func parseSeed(s string) (uint64, error) {
	if s == "random" {
		var b [4]byte
		_, _ = cryptorand.Read(b[:]) // documented never to fail
		return uint64(binary.LittleEndian.Uint32(b[:])), nil
	}
	seed, err := strconv.ParseUint(s, 0, 64)
	if err != nil {
		return 0, fmt.Errorf("%q is neither a number from 0 to 2^64-1 nor random", s)
	}
	return seed, nil
}

func parseCount(s string) (int, error) {
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 {
		return 0, fmt.Errorf("%q is not a number of at least 1", s)
	}
	return n, nil
}

func parseLimit(s string) (time.Duration, error) {
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 {
		return 0, fmt.Errorf("%q is not a duration like 10s", s)
	}
	return d, nil
}

func parseText(s string) (string, error) { return s, nil }
