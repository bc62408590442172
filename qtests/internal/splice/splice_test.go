package splice

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestApply(t *testing.T) {
	splices := []Splice{{5, 6, ""}, {6, 6, ", all"}, {0, 1, "H"}, {6, 6, " of "}, {11, 12, "?"}}
	before := slices.Clone(splices)
	require.Equal(t, "Hello, all of world?", string(Apply([]byte("hello world!"), splices)))
	require.Equal(t, before, splices)
	require.Equal(t, "hello", string(Apply([]byte("hello"), nil)))
}
