package share

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
)

// MostShares bounds the number of parts of a run.
const MostShares = 100_000

// A Share is a part of a run. The zero value is the whole.
type Share struct {
	Index int // from 1 to Of
	Of    int // how many parts there are
}

// Whole reports whether there are no other parts.
func (s Share) Whole() bool { return s.Of <= 1 }

// Takes reports whether a global index, from 1, belongs to this part.
func (s Share) Takes(k int64) bool { return s.Whole() || (k-int64(s.Index))%int64(s.Of) == 0 }

// Nth is the global index, from 1, of the k-th of this part, from 1.
func (s Share) Nth(k int64) int64 {
	if s.Whole() {
		return k
	}
	return (k-1)*int64(s.Of) + int64(s.Index)
}

// Count is how many of the indexes 1 to n belong to this part.
func (s Share) Count(n int64) int64 {
	if s.Whole() {
		return n
	}
	return max((n-int64(s.Index)+int64(s.Of))/int64(s.Of), 0)
}

// String is "3/8", or "" for the whole.
func (s Share) String() string {
	if s.Of == 0 {
		return ""
	}
	return fmt.Sprintf("%d/%d", s.Index, s.Of)
}

// Parse reads i/n, 1 <= i <= n.
func Parse(text string) (Share, error) {
	index, of, ok := strings.Cut(text, "/")
	i, err := strconv.Atoi(index)
	n, err2 := strconv.Atoi(of)
	if !ok || err != nil || err2 != nil {
		return Share{}, fmt.Errorf("%q is not of the form i/n, such as 1/8 for the first of eight", text)
	}
	return check(i, n)
}

// check makes a share of an index from 1.
func check(i, n int) (Share, error) {
	switch {
	case n < 1 || n > MostShares:
		return Share{}, fmt.Errorf("%d/%d: there are %d parts, and not 1 to %d", i, n, n, MostShares)
	case i < 1:
		return Share{}, fmt.Errorf("%d/%d: there is no part %d: the parts are 1/%d to %d/%d", i, n, i, n, n, n)
	case i > n:
		return Share{}, fmt.Errorf("%d/%d: there is no part %d of %d: the first is 1/%d, and the last is %d/%d", i, n, i, n, n, n, n)
	}
	return Share{i, n}, nil
}

// The variables of this package.
const (
	Var        = "QTESTS_SHARE"
	SharesVar  = "QTESTS_SHARES"
	ResultsVar = "QTESTS_RESULTS"
	StartVar   = "QTESTS_START"
	WaitVar    = "QTESTS_START_WAIT"
)

// FromEnv returns the share of a process with that environment, and where it comes from: the name
// of a variable or of an engine, "" for the whole.
func FromEnv(getenv func(string) string) (s Share, from string, err error) {
	if text := getenv(Var); text != "" {
		s, err = Parse(text)
		if err != nil {
			err = fmt.Errorf("%s: %w", Var, err)
		}
		return s, Var, err
	}
	if getenv(ResultsVar) == "" {
		return Share{}, "", nil
	}
	for _, e := range engines {
		found, ok, wrong := e.read(getenv)
		switch {
		case wrong != nil:
			err = errors.Join(err, wrong)
		case !ok || found.Of == 1 && s.Of > 1:
		case s.Of <= 1:
			s, from = found, e.name
		case found.Of > 1 && found != s:
			err = errors.Join(err, fmt.Errorf("%s says part %s, and %s says part %s: set %s to the one that is meant", from, s, e.name, found, Var))
		}
	}
	if err != nil {
		return Share{}, "", err
	}
	return s, from, nil
}

// Current is the share of this process. A wrong variable ends the process, as a wrong setting
// does: a part that takes itself for the whole would make n times the load.
func Current() Share { return current() }

var current = sync.OnceValue(func() Share {
	s, _, err := FromEnv(os.Getenv)
	if err != nil {
		fmt.Fprintln(os.Stderr, "qtests:", err)
		os.Exit(2)
	}
	return s
})

// Results is the directory of the parts, or "".
func Results() string { return os.Getenv(ResultsVar) }
