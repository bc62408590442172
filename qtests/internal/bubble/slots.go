package bubble

import "math/bits"

// A slot is a taken instant. next is a hint, at or before the first free instant
// after it: a thousand waits for one instant would otherwise probe it a thousand
// times each.
type slot struct {
	raw, nominal, next int64
}

// slots is a set of slots by raw instant, which is never zero: a hash table with
// linear probing (Knuth, The Art of Computer Programming, 6.4) that is at most
// half full. Every wait looks up, inserts and removes; with the built-in map,
// those took half of what the clock adds to a Sleep.
type slots struct {
	table []slot // its length is a power of two
	n     int
}

const (
	minSlots = 16
	// neighbours is how many instants that follow each other stay together. Of waits for one
	// instant each has the nanosecond after the one before, and so the memory that it needs is
	// in the processor's cache. Spread over the table, they took each of a million users at
	// once 1.3 µs to look for. No table is smaller.
	neighbours = 8
)

// home is where the slot of an instant belongs: Fibonacci hashing, because
// instants are multiples of round numbers, and neighbours next to each other.
func (t *slots) home(raw int64) int {
	hash := int(uint64(raw) / neighbours * 0x9e3779b97f4a7c15 >> (64 - bits.TrailingZeros(uint(len(t.table)))))
	return hash&^(neighbours-1) | (hash+int(raw))&(neighbours-1)
}

// find returns the slot at raw, to read or to change until the next put or
// remove, or nil.
func (t *slots) find(raw int64) *slot {
	if t.n == 0 {
		return nil
	}
	for i := t.home(raw); ; i = (i + 1) & (len(t.table) - 1) {
		switch s := &t.table[i]; s.raw {
		case raw:
			return s
		case 0:
			return nil
		}
	}
}

// put adds a slot whose instant is free.
func (t *slots) put(s slot) {
	if 2*(t.n+1) > len(t.table) {
		t.resize(max(minSlots, 2*len(t.table)))
	}
	t.n++
	t.place(s)
}

func (t *slots) place(s slot) {
	i := t.home(s.raw)
	for t.table[i].raw != 0 {
		i = (i + 1) & (len(t.table) - 1)
	}
	t.table[i] = s
}

// remove removes the slot at raw, if there is one.
func (t *slots) remove(raw int64) {
	if t.n == 0 {
		return
	}
	mask := len(t.table) - 1
	i := t.home(raw)
	for t.table[i].raw != raw {
		if t.table[i].raw == 0 {
			return
		}
		i = (i + 1) & mask
	}
	t.n--
	if t.n < len(t.table)/16 && len(t.table) > minSlots {
		t.table[i].raw = 0
		t.resize(len(t.table) / 4)
		return
	}
	// What follows without a gap moves up when its home is not behind the hole.
	for j := i; ; {
		j = (j + 1) & mask
		if t.table[j].raw == 0 {
			break
		}
		if (j-t.home(t.table[j].raw))&mask >= (j-i)&mask {
			t.table[i] = t.table[j]
			i = j
		}
	}
	t.table[i] = slot{}
}

func (t *slots) resize(size int) {
	old := t.table
	t.table = make([]slot, size)
	for _, s := range old {
		if s.raw != 0 {
			t.place(s)
		}
	}
}
