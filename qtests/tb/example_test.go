package tb_test

import (
	"fmt"
	"math/rand/v2"

	"github.com/go-qtests/qtests/qtests/tb"
	"github.com/go-qtests/qtests/qtests/tbtest"
)

// A helper that draws does so from a stream of its own: another helper that draws more
// changes nothing for it.
func Example() {
	shuffled := func(t tb.TB, names ...string) []string {
		r := tb.StreamOf(t, "shuffled").Rand()
		r.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
		return names
	}
	same := func(a, b *rand.Rand) bool { return a.Uint64() == b.Uint64() }
	tbtest.Run("order", func(t *tbtest.TB) {
		first := shuffled(t, "a", "b", "c", "d")
		fmt.Println(fmt.Sprint(first) == fmt.Sprint(shuffled(t, "a", "b", "c", "d")))
		fmt.Println(same(tb.StreamOf(t, "users").Rand(), tb.StreamOf(t, "orders").Rand()))
	})
	// Output:
	// true
	// false
}
