package explore

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
		parts := split(all, n)
		var lists [][]C
		for _, p := range parts {
			lists = append(lists, p.part)
		}
		if n > 2 {
			for _, p := range parts {
				lists = append(lists, p.rest)
			}
		}
		i := first(lists)
		switch {
		case i == -2:
			return all
		case i >= 0 && i < len(parts):
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

type part[C any] struct{ part, rest []C }

// split cuts a list into n parts of nearly one length.
func split[C any](all []C, n int) []part[C] {
	parts := make([]part[C], n)
	for i := range parts {
		from, to := i*len(all)/n, (i+1)*len(all)/n
		parts[i].part = all[from:to:to]
		parts[i].rest = append(append([]C(nil), all[:from]...), all[to:]...)
	}
	return parts
}
