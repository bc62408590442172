package route

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"time"
)

// DefaultBound is the ε of [Hash] that bounds the load of one target.
const DefaultBound = 0.25

// Hash sends requests of one key to one target, as long as it holds no more than 1+bound times
// its part of the active requests. A bound of 0 is [DefaultBound]; one below 0 is no bound.
func Hash(bound float64) Policy {
	if bound == 0 {
		bound = DefaultBound
	}
	return func(*rand.Rand) Picker { return hashed{bound: bound, scores: new([]score)} }
}

type hashed struct {
	bound  float64
	scores *[]score // of the last pick, kept for its memory
}

type score struct {
	index int
	value float64
}

// Pick implements Picker.
func (h hashed) Pick(_ time.Time, rq Request, candidates, _ []*Target) int {
	scores, active := (*h.scores)[:0], 0
	best := 0
	for i, t := range candidates {
		scores = append(scores, score{i, t.score(rq.Key)})
		if scores[i].value > scores[best].value {
			best = i
		}
		active += t.Active
	}
	*h.scores = scores
	if h.bound < 0 || h.fits(candidates[best], active, candidates) {
		return best
	}
	slices.SortStableFunc(scores, func(a, b score) int { return cmp.Compare(b.value, a.value) })
	for _, s := range scores {
		if h.fits(candidates[s.index], active, candidates) {
			return s.index
		}
	}
	return best // not reached: some target is not above the mean
}

// fits reports whether the target may take one more of the active requests.
func (h hashed) fits(t *Target, active int, candidates []*Target) bool {
	sum := 0.0
	for _, c := range candidates {
		sum += c.Weight
	}
	return float64(t.Active+1) <= math.Ceil((1+h.bound)*float64(active+1)*t.Weight/sum)
}

// score is that of weighted rendezvous hashing.
func (t *Target) score(key uint64) float64 {
	u := (float64(mix(key^t.hash)>>11) + 0.5) / (1 << 53) // in (0,1)
	return -t.Weight / math.Log(u)
}

// KeyOf returns the key of a text: the 64-bit FNV-1a hash, mixed.
func KeyOf(text string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(text) {
		h = (h ^ uint64(text[i])) * 1099511628211
	}
	return mix(h)
}

// mix is the finalizer of SplitMix64.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
