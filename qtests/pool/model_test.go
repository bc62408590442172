package pool

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/internal/stress"
)

const (
	modelIdle = 10 * time.Second
	modelUses = 4
)

// model is the reference: a pool in which everything but waiting happens at once.
type model struct {
	max       int
	made      int
	now       time.Duration
	idle      []int // numbers of the resources, the longest idle first
	since     map[int]time.Duration
	uses      map[int]int
	leased    map[int]int // caller by resource
	stale     map[int]bool
	queue     []int // callers
	granted   map[int]int
	suspended bool
	destroyed int
	hijacked  int
}

func newModel(most int) *model {
	return &model{max: most, since: map[int]time.Duration{}, uses: map[int]int{}, leased: map[int]int{},
		stale: map[int]bool{}, granted: map[int]int{}}
}

func (m *model) total() int { return len(m.idle) + len(m.leased) }

func (m *model) settle() {
	for !m.suspended && len(m.queue) > 0 {
		if len(m.idle) == 0 {
			if m.total() >= m.max {
				return
			}
			m.create()
		}
		m.lend(m.idle[len(m.idle)-1], m.queue[0])
		m.queue = m.queue[1:]
	}
}

func (m *model) create() {
	m.made++
	m.idle = append(m.idle, m.made)
	m.since[m.made] = m.now
}

func (m *model) lend(r, caller int) {
	m.idle = slices.DeleteFunc(m.idle, func(x int) bool { return x == r })
	m.leased[r], m.granted[caller] = caller, r
	m.uses[r]++
}

func (m *model) giveBack(r int, how ending) {
	surplus := m.total() > m.max
	delete(m.leased, r)
	if how.unused {
		m.uses[r]--
	} else {
		m.since[r] = m.now
	}
	switch {
	case how.hijack:
		m.hijacked++
	case how.discard, m.stale[r], surplus, m.uses[r] >= modelUses:
		m.destroyed++
	default:
		m.idle = append(m.idle, r)
		slices.SortStableFunc(m.idle, func(a, b int) int { return int(m.since[a] - m.since[b]) })
	}
	m.pass(0) // released unused, it may have been idle for too long
}

func (m *model) dropIdle(n int) {
	m.destroyed += n
	m.idle = m.idle[n:]
}

func (m *model) pass(d time.Duration) {
	for m.now += d; len(m.idle) > 0 && m.now-m.since[m.idle[0]] >= modelIdle; {
		m.dropIdle(1)
	}
	m.settle()
}

func (m *model) resize(most int) {
	m.max = most
	m.dropIdle(min(len(m.idle), max(0, m.total()-most)))
	m.settle()
}

func (m *model) reset() {
	m.dropIdle(len(m.idle))
	for r := range m.leased {
		m.stale[r] = true
	}
	m.settle()
}

// twin is a pool beside its model.
type twin struct {
	q       *qtests.T
	p       *Pool[*item]
	m       *model
	r       *rand.Rand
	callers int

	mu      sync.Mutex
	leases  map[int]Lease[*item] // by resource
	granted map[int]int
	cancels map[int]context.CancelFunc
}

func (w *twin) acquire() string {
	caller := w.callers
	w.callers++
	ctx, cancel := context.WithCancel(bg)
	w.cancels[caller] = cancel
	w.m.queue = append(w.m.queue, caller)
	w.m.settle()
	w.q.Go(func() {
		defer cancel()
		if l, err := w.p.Acquire(ctx); err == nil {
			w.got(caller, l)
		}
	})
	return fmt.Sprintf("caller %d acquires", caller)
}

func (w *twin) got(caller int, l Lease[*item]) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.leases[l.Value().id] = l
	w.granted[caller] = l.Value().id
}

func (w *twin) tryAcquire() string {
	caller := w.callers
	w.callers++
	l, err := w.p.TryAcquire()
	if err == nil {
		w.m.lend(w.m.idle[len(w.m.idle)-1], caller)
		w.got(caller, l)
	} else {
		require.ErrorIs(w.q, err, ErrNoneIdle)
		if !w.m.suspended && len(w.m.queue) == 0 {
			require.Empty(w.q, w.m.idle)
			if w.m.total() < w.m.max { // it has one made for the next caller
				w.m.create()
			}
		}
	}
	return fmt.Sprintf("caller %d tries: %v", caller, err)
}

func (w *twin) acquireAllIdle() string {
	idle := w.p.AcquireAllIdle()
	for _, l := range idle {
		w.m.lend(l.Value().id, w.callers)
		w.got(w.callers, l)
		w.callers++
	}
	require.Empty(w.q, w.m.idle)
	return fmt.Sprintf("acquire all idle: %d", len(idle))
}

func (w *twin) cancel() string {
	if len(w.m.queue) == 0 {
		return w.acquire()
	}
	i := w.r.IntN(len(w.m.queue))
	caller := w.m.queue[i]
	w.m.queue = slices.Delete(w.m.queue, i, i+1)
	w.cancels[caller]()
	return fmt.Sprintf("caller %d gives up", caller)
}

func (w *twin) end() string {
	held := slices.Sorted(maps.Keys(w.m.leased))
	if len(held) == 0 {
		return w.acquire()
	}
	id := held[w.r.IntN(len(held))]
	l := w.leases[id]
	delete(w.leases, id)
	how := ending{}
	switch w.r.IntN(8) {
	case 0:
		how.discard = true
		l.Discard(nil)
	case 1:
		how.hijack = true
		l.Hijack()
	case 2:
		how.unused = true
		l.ReleaseUnused()
	default:
		l.Release()
	}
	w.m.giveBack(id, how)
	return fmt.Sprintf("resource %d ends: %+v", id, how)
}

// operate does one random operation to both and names it.
func (w *twin) operate() string {
	switch n := w.r.IntN(100); {
	case n < 35:
		return w.acquire()
	case n < 70:
		return w.end()
	case n < 75:
		return w.cancel()
	case n < 80:
		return w.tryAcquire()
	case n < 82:
		return w.acquireAllIdle()
	case n < 87:
		most := 1 + w.r.IntN(6)
		w.m.resize(most)
		require.NoError(w.q, w.p.Resize(0, most))
		return fmt.Sprintf("resize to %d", most)
	case n < 89:
		w.m.reset()
		w.p.Reset()
		return "reset"
	case n < 94:
		if w.m.suspended = !w.m.suspended; w.m.suspended {
			w.p.Suspend()
			return "suspend"
		}
		w.m.settle()
		w.p.Resume()
		return "resume"
	}
	d := time.Duration(1+w.r.IntN(4)) * time.Second
	w.m.pass(d)
	w.q.Sleep(d)
	return fmt.Sprintf("%v pass", d)
}

func (w *twin) compare(steps []string) {
	checkInvariants(w.q, w.p) // while what follows from the operation runs
	w.q.Wait()
	checkInvariants(w.q, w.p)
	s, m := w.p.Stats(), w.m
	var idle []int
	w.p.engine.mu.Lock()
	for e := w.p.engine.mu.core.idle.head; e != nil; e = e.next {
		idle = append(idle, e.value.(*item).id)
	}
	w.p.engine.mu.Unlock()
	type state struct {
		idle                                                   []int
		inUse, constructing, waiters, made, destroyed, hijacks int
		granted                                                map[int]int
	}
	want := state{append([]int(nil), m.idle...), len(m.leased), 0, len(m.queue), m.made, m.destroyed, m.hijacked, m.granted}
	got := state{idle, s.InUse, s.Constructing, s.Waiters, int(s.Constructed), int(s.Destroyed), int(s.Hijacked), w.granted}
	require.Equal(w.q, want, got, "after\n%s", strings.Join(steps, "\n"))
}

// TestModel does random operations to a pool and to its reference and compares
// all that can be seen after each, the invariants among it.
func TestModel(t *testing.T) {
	for round := range 20 * stress.Factor(t) {
		qtests.Run(t, func(q *qtests.T) {
			_, cfg := newItems(q, 0)
			cfg.Max, cfg.MaxIdleTime, cfg.MaxUses = 3, modelIdle, modelUses
			w := &twin{q: q, p: NewT(q, cfg), m: newModel(3), r: q.Stream("model").At(uint64(round)),
				leases: map[int]Lease[*item]{}, granted: map[int]int{}, cancels: map[int]context.CancelFunc{}}
			var steps []string
			for range 150 {
				steps = append(steps, w.operate())
				w.compare(steps[max(0, len(steps)-8):])
			}
			w.p.Resume()
			for _, cancel := range w.cancels {
				cancel()
			}
			q.Wait()
			releaseAll(slices.Collect(maps.Values(w.leases)))
		})
	}
}
