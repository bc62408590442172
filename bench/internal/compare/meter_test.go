package compare

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A madeUp process spends what it is told to. Its allocations take an hour to read.
type madeUp struct {
	now       time.Duration
	allocated uint64
}

func (p *madeUp) meter() *Meter {
	return startMeter(func() time.Duration { return p.now }, func() uint64 {
		p.now += time.Hour
		return p.allocated
	})
}

func (p *madeUp) work(d time.Duration, allocations uint64) {
	p.now += d
	p.allocated += allocations
}

func TestMeter(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(m *Meter, p *madeUp)
		want Readings
	}{
		{"work", func(_ *Meter, p *madeUp) { p.work(1000, 30) }, Readings{Time: 100, Allocations: 3}},
		{"none", func(*Meter, *madeUp) {}, Readings{Time: 0, Allocations: 0}},
		{"a hundredth counts", func(_ *Meter, p *madeUp) { p.work(5, 1) }, Readings{Time: 0.5, Allocations: 0.1}},
		{"what is done in a pause is left out", func(m *Meter, p *madeUp) {
			p.work(10, 10)
			m.Pause()
			p.work(70_000, 70_000)
			m.Resume()
			p.work(10, 10)
		}, Readings{Time: 2, Allocations: 2}},
		{"spells add up", func(m *Meter, p *madeUp) {
			for range 3 {
				m.Pause()
				p.work(500, 500)
				m.Resume()
				p.work(10, 20)
			}
		}, Readings{Time: 3, Allocations: 6}},
		{"a pause in a pause is one", func(m *Meter, p *madeUp) {
			p.work(10, 10)
			m.Pause()
			p.work(500, 500)
			m.Pause()
			m.Resume()
			p.work(10, 10)
			m.Pause()
			p.work(500, 500)
		}, Readings{Time: 2, Allocations: 2}},
		{"who goes on goes on", func(m *Meter, p *madeUp) {
			p.work(10, 10)
			m.Resume()
			p.work(10, 10)
		}, Readings{Time: 2, Allocations: 2}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := &madeUp{now: time.Minute, allocated: 12345}
			m := p.meter()
			c.do(m, p)
			require.Equal(t, c.want, m.Readings(10))
		})
	}
}

func TestMeterRounds(t *testing.T) {
	p := &madeUp{}
	m := p.meter()
	p.work(1000, 2004)
	require.Equal(t, Readings{Time: 1, Allocations: 2}, m.Readings(1000), "four that the runtime made")
	p = &madeUp{}
	m = p.meter()
	p.work(1000, 2996)
	require.Equal(t, Readings{Time: 1, Allocations: 3}, m.Readings(1000))
	p = &madeUp{}
	m = p.meter()
	p.work(1000, 1254)
	require.Equal(t, Readings{Time: 1, Allocations: 1.25}, m.Readings(1000))
}

var sink [][]byte

func allocate(n int) {
	for range n {
		sink = append(sink[:0], make([]byte, 100))
	}
}

// TestMeterOfThisProcess lets the real meter count.
func TestMeterOfThisProcess(t *testing.T) {
	const n = 10_000
	allocate(1)
	m := StartMeter()
	m.Pause()
	allocate(7 * n)
	m.Resume()
	allocate(3 * n)
	m.Pause()
	allocate(7 * n)
	r := m.Readings(n)
	require.Equal(t, 3.0, r[Allocations])
	require.Positive(t, r[Time])
	require.Len(t, r, 2)
}
