package bubble

// turnWaits counts the waits of a turnClock that are pending. Those that nobody will end
// for sure (a timer that is stopped is never seen) lapse when their instant has passed.
//
// Only the goroutine that has the turn uses it, so that it needs no lock; and a lock or
// an atomic would tell the race detector of an order among all goroutines that wait,
// which would hide their races. So the detector does not look at these functions.
type turnWaits struct {
	n     int // pending
	moves uint64
	stood int64
	lapse instantHeap // of those that lapse
	gone  instantHeap // those of them that were given back before
}

//go:norace
func (w *turnWaits) begin() uint64 {
	w.n++
	w.moves++
	return w.moves
}

// stand counts those who stand in a reservation.
//
//go:norace
func (w *turnWaits) stand(n int64) int64 {
	w.stood += n
	return w.stood
}

//go:norace
func (w *turnWaits) end() { w.n-- }

//go:norace
func (w *turnWaits) beginLapsing(at int64) uint64 {
	w.lapse.push(at)
	return w.begin()
}

// giveBack ends a wait that lapses at that instant.
//
//go:norace
func (w *turnWaits) giveBack(now, at int64) {
	if at >= now {
		w.gone.push(at)
		w.n--
	}
}

//go:norace
func (w *turnWaits) pending(now int64) int {
	for len(w.lapse.at) > 0 && w.lapse.at[0] < now {
		at := w.lapse.pop()
		if len(w.gone.at) > 0 && w.gone.at[0] == at {
			w.gone.pop()
			continue
		}
		w.n--
	}
	return w.n
}

// An instantHeap is a binary heap with the earliest instant first.
type instantHeap struct{ at []int64 }

//go:norace
func (h *instantHeap) push(at int64) {
	h.at = append(h.at, at)
	for i := len(h.at) - 1; i > 0; {
		up := (i - 1) / 2
		if h.at[up] <= h.at[i] {
			return
		}
		h.at[up], h.at[i] = h.at[i], h.at[up]
		i = up
	}
}

//go:norace
func (h *instantHeap) pop() int64 {
	first, n := h.at[0], len(h.at)-1
	h.at[0] = h.at[n]
	h.at = h.at[:n]
	for i := 0; ; {
		down := 2*i + 1
		if down >= n {
			return first
		}
		if down+1 < n && h.at[down+1] < h.at[down] {
			down++
		}
		if h.at[i] <= h.at[down] {
			return first
		}
		h.at[i], h.at[down] = h.at[down], h.at[i]
		i = down
	}
}
