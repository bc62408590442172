package realworld

import (
	"testing"

	"github.com/go-qtests/qtests/qtests"
)

// recipe runs a short scenario as outcome does: on the ordered runtime 20 times and once elsewhere, with one outcome,
// and on the stock one twice, with what it asserts. Any -runs counts for recipes as well.
func recipe(t *testing.T, scenario func(q *qtests.T, log *Log)) {
	t.Helper()
	if *hourFlag {
		t.Skip("a recipe has no load")
	}
	compared(t, scenario, limits{lines: 10, stock: 2})
}
