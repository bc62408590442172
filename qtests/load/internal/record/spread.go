package record

import (
	"math"
	"slices"

	"github.com/go-qtests/qtests/qtests/load/result"
)

// A spread is a histogram of any finite numbers, in buckets of which each is at most 0.1 % wide. Numbers
// that are nearer to zero than 2^-40, or further away than 2^60, have one bucket for each sign.
type spread struct {
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

// binOf returns the number of a bucket. Buckets are in the order of their numbers, and that of zero is 0.
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

func (s *spread) add(x float64) {
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

// percentile returns the nearest-rank percentile: the largest number of the bucket in which it is.
func (s *spread) percentile(p float64) float64 {
	if s.total == 0 {
		return 0
	}
	var order []int32
	for i := range s.bins {
		order = append(order, i)
	}
	slices.Sort(order)
	rank, seen := result.RankOf(p, s.total), uint64(0)
	for _, i := range order {
		if seen += s.bins[i].count; seen >= rank {
			return s.bins[i].top
		}
	}
	return s.bins[order[len(order)-1]].top
}
