package compare

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestUnexplained(t *testing.T) {
	named := func(name, why string, ours float64, targets ...Target) *Result {
		r := result(Figure{Targets: targets}, map[string][]float64{OursName: {ours}, "peer": {2}}, trio...)
		r.Name, r.Why = name, why
		return r
	}
	r := &Report{Groups: []GroupResult{{Group: &Group{Name: "things"}, Results: []*Result{
		named("ahead", "", 1), named("explained", "It does more.", 3, Bound(1)), named("behind", "", 3), named("missed", "", 1, Bound(0.5)),
	}}}}
	require.Equal(t, []string{"things: behind: figure", "things: missed: figure"}, r.Unexplained())
}
