package compare

import "path/filepath"

// A Kind is what a profile is of. The figure that is not as it should be chooses
// it: where allocations are behind, the time says nothing.
type Kind int

const (
	// ProcessorTime is for times, and rates.
	ProcessorTime Kind = iota
	// Allocated is for [Allocations].
	Allocated
	// MemoryInUse is for figures in [Bytes].
	MemoryInUse
)

var kinds = [...]struct {
	name, file, sampleIndex string
}{
	ProcessorTime: {"Processor time", "cpu.prof", "cpu"},
	Allocated:     {"Allocated objects", "allocs.prof", "alloc_objects"},
	MemoryInUse:   {"Memory in use", "heap.prof", "inuse_space"},
}

// File is the name of a file for a profile of the kind, by which [ProfileTo] knows
// what to write.
func (k Kind) File() string { return kinds[k].file }

func kindOf(file string) Kind {
	for k := range kinds {
		if filepath.Base(file) == kinds[k].file {
			return Kind(k)
		}
	}
	return ProcessorTime
}

// kind is the kind of the profile that explains the figure.
func (f *Figure) kind() Kind {
	switch {
	case f.Name == Allocations:
		return Allocated
	case f.Unit == Bytes:
		return MemoryInUse
	}
	return ProcessorTime
}

// wanted are the figures that need explaining, by the kind of the profile that
// does.
func (r *Result) wanted() map[Kind][]string {
	figures := map[Kind][]string{}
	for _, row := range r.Rows() {
		if row.NeedsExplaining() {
			figures[row.Figure.kind()] = append(figures[row.Figure.kind()], row.Figure.Name)
		}
	}
	return figures
}
