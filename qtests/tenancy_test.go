package qtests

import (
	"testing"
	"time"

	"github.com/benbjohnson/clock"
	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/internal/tenancy"
)

// TestTenancy refuses the second of two bubbles at its first use, which fails that
// one's test, and lets the next one in when the first has ended.
func TestTenancy(t *testing.T) {
	out, passed := runChild(t, "^TestChildTenancy$")
	require.False(t, passed)
	require.Contains(t, out, "pool db is used in two bubbles at once: qtests: in use in another bubble, the one of TestChildTenancy/first. Make one in each test, with q")
	require.Contains(t, out, "--- FAIL: TestChildTenancy/second")
	require.Contains(t, out, "--- PASS: TestChildTenancy/first")
	require.Contains(t, out, "--- PASS: TestChildTenancy/third")
}

func TestChildTenancy(t *testing.T) {
	child(t)
	var shared tenancy.Tenancy
	use := func() error { return shared.Use(clock.New(), "pool", "db") }
	require.NoError(t, use())
	used, refused := make(chan bool, 1), make(chan bool, 1)
	first := func(t *testing.T) {
		Run(t, func(q *T) {
			require.NoError(q, use())
			used <- true
			<-refused // made outside: the bubble stands still meanwhile, in real time
			require.NoError(q, use())
		})
	}
	second := func(t *testing.T) {
		<-used
		defer func() { refused <- true }()
		require.NoError(t, use(), "outside every bubble")
		Run(t, func(q *T) {
			require.ErrorIs(q, use(), tenancy.ErrTwoBubbles)
			q.Sleep(time.Hour)
		})
	}
	done := make(chan bool)
	go func() {
		t.Run("first", first)
		close(done)
	}()
	t.Run("second", second)
	<-done
	t.Run("third", func(t *testing.T) { Run(t, func(q *T) { require.NoError(q, use()) }) })
}

// TestComponentsOfTwoBubbles: each component refuses, and what it is called.
func TestComponentsOfTwoBubbles(t *testing.T) {
	out, passed := runChild(t, "^TestChildComponents$")
	require.False(t, passed)
	for _, name := range []string{"pool db", "breaker payments", "the monitor"} {
		require.Contains(t, out, name+" is used in two bubbles at once: qtests: in use in another bubble, the one of TestChildComponents/first.")
	}
	require.Contains(t, out, "--- PASS: TestChildComponents/first")
}
