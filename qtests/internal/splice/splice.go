// Package splice puts text into a source.
package splice

import (
	"bytes"
	"slices"
)

// A Splice puts Text in the place of the bytes between two offsets of a source. Where Text has
// as many line ends as it replaces, the lines of stack traces stay those of the user's file.
type Splice struct {
	From, To int
	Text     string
}

// Apply returns the source with all splices in it. They must not overlap. Splices at the same
// offset keep their order.
func Apply(source []byte, splices []Splice) []byte {
	var b bytes.Buffer
	at := 0
	for _, s := range inOrder(splices) {
		b.Write(source[at:s.From])
		b.WriteString(s.Text)
		at = s.To
	}
	b.Write(source[at:])
	return b.Bytes()
}

func inOrder(splices []Splice) []Splice {
	sorted := slices.Clone(splices)
	slices.SortStableFunc(sorted, func(a, b Splice) int { return a.From - b.From })
	return sorted
}
