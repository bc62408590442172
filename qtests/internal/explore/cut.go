package explore

import "slices"

// Cut removes choices while the run still fails, until no single one can go: delta
// debugging, after Zeller and Hildebrandt, "Simplifying and Isolating Failure-Inducing
// Input", IEEE TSE 2002. first is given lists of choices and returns the index of the first one
// under which the run fails, or -1; it returns -2 to end the search early. Cut returns the
// shortest list that failed.
func Cut[C any](all []C, first func(lists [][]C) int) []C {
	switch first([][]C{nil}) {
	case 0:
		return nil
	case -2:
		return all
	}
	for n := 2; len(all) > 1; {
		n = min(n, len(all))
		lists := candidates(all, n)
		i := first(lists)
		switch {
		case i == -2:
			return all
		case i >= 0 && i < n:
			all, n = lists[i], 2
		case i >= 0:
			all, n = lists[i], max(n-1, 2)
		case n == len(all):
			return all
		default:
			n *= 2
		}
	}
	return all
}

// candidates cuts a list into n parts of nearly one length, and returns them, followed by the list
// without each of them. Of two parts, each is the list without the other, and stands there once.
func candidates[C any](all []C, n int) [][]C {
	var parts, rests [][]C
	for i := range n {
		from, to := i*len(all)/n, (i+1)*len(all)/n
		parts = append(parts, all[from:to:to])
		rests = append(rests, slices.Concat(all[:from], all[to:]))
	}
	if n == 2 {
		return parts
	}
	return append(parts, rests...)
}
