package remnants

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestRemnantsKeepToTheirBudget: where collecting is expensive there is little of
// it, save for what is known to be in a pool.
func TestRemnantsKeepToTheirBudget(t *testing.T) {
	now, collections := time.Unix(0, 0), 0
	r := &Sweeper{
		kinds: map[Kind]remains{}, warn: func(string) {}, now: func() time.Time { return now },
		collect: func() { collections++; now = now.Add(100 * time.Millisecond) },
	}
	var kept []*canary
	bubble := func(test string) {
		left := r.Next(Kind{Test: test})
		if left == nil {
			return
		}
		kept = append(kept, left.canary.Load()) // never gone
		left.left.Store(true)
		left.End()
		now = now.Add(10 * time.Millisecond)
	}
	for i := range 1000 {
		bubble(fmt.Sprint("Test", i))
	}
	require.Greater(t, collections, 2)
	require.LessOrEqual(t, r.spent, (remnantLooks+2)*200*time.Millisecond+remnantBudget+now.Sub(time.Unix(0, 0))/remnantShare)

	r.kinds[Kind{Test: "TestPooled"}] = pooledRemains
	bubble("TestPooled")
	before := collections
	bubble("TestPooled")
	require.Equal(t, before+2, collections)
	runtime.KeepAlive(kept)
}

// TestFewRemnantsWait: each bubble goes through those that wait, also where the budget is
// spent; but a body that is new is looked at however many they are.
func TestFewRemnantsWait(t *testing.T) {
	now, collections := time.Unix(0, 0), 0
	r := &Sweeper{
		kinds: map[Kind]remains{}, warn: func(string) {}, now: func() time.Time { return now },
		collect: func() { collections++; now = now.Add(time.Hour) }, // so much is spent at once
	}
	var kept []*canary
	bubble := func(of Kind) {
		left := r.Next(of)
		if left == nil {
			return
		}
		kept = append(kept, left.canary.Load()) // never gone
		left.left.Store(true)
		left.End()
	}
	most := 0
	for i := range 1000 {
		bubble(Kind{Test: fmt.Sprint("TestSuite/", i), Body: 1})
		most = max(most, len(r.pending))
	}
	require.LessOrEqual(t, most, maxRemnants+1)
	require.Greater(t, most, remnantLooks)
	before := collections
	bubble(Kind{Test: "TestNew", Body: 2})
	bubble(Kind{Test: "TestNext", Body: 3})
	require.Equal(t, before+2, collections)
	runtime.KeepAlive(kept)
}

// TestHeavyBodiesAreLookedAtAgain: what runs for long may leave nothing in one run, and
// something in the next.
func TestHeavyBodiesAreLookedAtAgain(t *testing.T) {
	for _, c := range []struct {
		took time.Duration
		want bool
	}{{heavyBody - 1, false}, {heavyBody, true}} {
		r := &Sweeper{kinds: map[Kind]remains{}, now: time.Now, collect: func() {}, warn: func(string) {}, long: heavyBody}
		kind := Kind{Test: "TestX"}
		r.kinds[kind] = noRemains
		r.Ran(kind, c.took)
		left := r.Next(kind)
		require.Equal(t, c.want, left != nil, "%v", c.took)
		if left != nil {
			kept := left.canary.Load()
			left.left.Store(true)
			left.End()
			require.True(t, r.settle(noRemains))
			runtime.KeepAlive(kept)
			runtime.GC()
			r.settle(pooledRemains)
			require.Equal(t, pooledRemains, r.kinds[kind])
		}
	}
}

// TestKeptIsSaidOnce: what no collection removes is said to be kept, once its test is
// over, and costs no more.
func TestKeptIsSaidOnce(t *testing.T) {
	var said []string
	collections := 0
	r := &Sweeper{kinds: map[Kind]remains{}, now: time.Now, collect: func() { collections++ }, warn: func(test string) { said = append(said, test) }}
	var kept []*canary
	for _, test := range []string{"TestA/1", "TestA/2", "TestB", "TestC", "TestA/2", "TestB"} {
		if left := r.Next(Kind{Test: test}); left != nil {
			kept = append(kept, left.canary.Load())
			left.left.Store(true)
			left.End()
		}
	}
	require.Equal(t, []string{"TestA/2", "TestB", "TestC"}, said)
	runtime.KeepAlive(kept)
}

// TestBoundsOfLooks: what a look may cost, for how many tests a body is new, and how many wait.
func TestBoundsOfLooks(t *testing.T) {
	const body = 7
	fresh := func(collections *int) *Sweeper {
		r := New(func(string) {})
		r.now = func() time.Time { return time.Unix(1, 0) }
		r.collect = func() { *collections++ }
		r.looked = map[uintptr]int{body: remnantLooks}
		return r
	}
	for spent, want := range map[time.Duration]int{120 * time.Millisecond: 2, 120*time.Millisecond + 1: 0} {
		collections := 0
		r := fresh(&collections)
		r.first, r.spent = time.Unix(0, 0), spent // 20 ms, and a tenth of a second
		left := r.Next(Kind{Test: "TestX", Body: body})
		kept := left.canary.Load()
		left.left.Store(true)
		left.End()
		r.Next(Kind{Test: "TestY", Body: body})
		require.Equal(t, want, collections, spent)
		runtime.KeepAlive(kept)
	}
	r := fresh(new(int))
	require.False(t, r.isNew(Kind{Body: body}))
	r.looked[body]--
	require.True(t, r.isNew(Kind{Body: body}))
	r.looked[body]++
	for i := range maxRemnants {
		require.NotNil(t, r.Next(Kind{Test: fmt.Sprint("Test", i), Body: body}))
	}
	require.Nil(t, r.Next(Kind{Test: "TestLate", Body: body}))
	require.NotNil(t, r.Next(Kind{Test: "TestNew", Body: body + 1}), "what is new is looked at")
}

// TestCollectionsOfOthersCount: what went with a collection of the process costs none of ours.
func TestCollectionsOfOthersCount(t *testing.T) {
	collections := 0
	r := New(func(string) {})
	r.collect = func() { collections++ }
	left := r.Next(Kind{Test: "TestX"})
	left.left.Store(true)
	left.End()
	runtime.GC()
	other := r.Next(Kind{Test: "TestY"})
	require.Zero(t, collections)
	require.Equal(t, []*Remnant{other}, r.pending)
}
