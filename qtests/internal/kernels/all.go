package kernels

// All lists the kernels.
func All() []Kernel {
	var all []Kernel
	for _, some := range [][]Kernel{counters, channels, closing, locks, readers, groups, conds, onces, times, contexts, maps, mixed} {
		all = append(all, some...)
	}
	return all
}
