package sketch

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
)

// A Spread is a histogram of any finite numbers, in buckets that are at most 0.1 % wide. Numbers
// that are nearer to zero than 2^-40, or further away than 2^60, have one bucket for each sign.
type Spread struct {
	bins  map[int32]*bin
	total uint64
}

// A bin is a bucket. top is the largest number in it, so that a percentile is a number that did occur.
type bin struct {
	count uint64
	top   float64
}

const (
	spreadParts = 1024 // buckets of each doubling
	spreadLow   = -40
	spreadHigh  = 60
)

// binOf returns the number of a bucket. Buckets are in the order of their numbers, and zero has the bucket 0.
func binOf(x float64) int32 {
	switch {
	case x == 0:
		return 0
	case x < 0:
		return -binOf(-x)
	}
	fraction, exponent := math.Frexp(x) // x = fraction·2^exponent, fraction from 0.5 to 1
	switch {
	case exponent <= spreadLow:
		return 1
	case exponent > spreadHigh:
		return (spreadHigh-spreadLow)*spreadParts + 2
	}
	return int32(exponent-1-spreadLow)*spreadParts + int32((fraction-0.5)*2*spreadParts) + 2
}

// Add counts a number.
func (s *Spread) Add(x float64) {
	if s.bins == nil {
		s.bins = map[int32]*bin{}
	}
	i := binOf(x)
	b := s.bins[i]
	if b == nil {
		b = &bin{top: x}
		s.bins[i] = b
	}
	b.count++
	b.top = max(b.top, x)
	s.total++
}

// Percentile returns the nearest-rank percentile: the largest number of the bucket in which it is. It is 0 if nothing was counted.
func (s *Spread) Percentile(p float64) float64 {
	rank, seen := RankOf(p, s.total), uint64(0)
	for _, i := range slices.Sorted(maps.Keys(s.bins)) {
		if seen += s.bins[i].count; seen >= rank {
			return s.bins[i].top
		}
	}
	return 0
}

// Merge adds everything counted in other.
func (s *Spread) Merge(other *Spread) {
	if s.bins == nil {
		s.bins = map[int32]*bin{}
	}
	for i, b := range other.bins {
		if mine := s.bins[i]; mine != nil {
			mine.count, mine.top = mine.count+b.count, max(mine.top, b.top)
		} else {
			s.bins[i] = &bin{b.count, b.top}
		}
	}
	s.total += other.total
}

// binJSON is a bucket on the wire.
type binJSON struct {
	Top   float64 `json:"top"`
	Count uint64  `json:"count"`
}

// MarshalJSON writes every bucket in order, as its largest number and its count.
func (s Spread) MarshalJSON() ([]byte, error) {
	out := []binJSON{}
	for _, i := range slices.Sorted(maps.Keys(s.bins)) {
		out = append(out, binJSON{s.bins[i].top, s.bins[i].count})
	}
	return json.Marshal(out)
}

// UnmarshalJSON reads what MarshalJSON wrote, and rejects anything else.
func (s *Spread) UnmarshalJSON(text []byte) error {
	var all []binJSON
	if err := json.Unmarshal(text, &all); err != nil {
		return err
	}
	*s = Spread{bins: map[int32]*bin{}}
	for _, b := range all {
		i := binOf(b.Top)
		if s.bins[i] != nil || b.Count == 0 || b.Count > math.MaxInt64-s.total {
			return fmt.Errorf("spread: the bucket of %v is there twice or has no valid count", b.Top)
		}
		s.bins[i] = &bin{b.Count, b.Top}
		s.total += b.Count
	}
	return nil
}
