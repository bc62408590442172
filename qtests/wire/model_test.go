package wire_test

import (
	"bytes"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/event"
	"github.com/go-qtests/qtests/qtests/internal/stress"
	"github.com/go-qtests/qtests/qtests/latency"
	"github.com/go-qtests/qtests/qtests/tb"
	"github.com/go-qtests/qtests/qtests/wire"
)

// TestModel compares when each byte arrives with what a model of the link says, in random histories
// of writes, latencies, bandwidths and stalls.
func TestModel(t *testing.T) {
	for seed := range uint64(30 * stress.Factor(t)) {
		r := tb.NewStream(seed, "wire").Rand()
		moves := make([]byte, 2*40)
		for i := range moves {
			moves[i] = byte(r.Uint32())
		}
		checkLink(t, moves)
		if t.Failed() {
			t.Fatalf("seed %d: go test ./qtests/wire -run TestModel; moves %v", seed, moves)
		}
	}
}

func FuzzLink(f *testing.F) {
	f.Add([]byte{0, 9, 1, 30, 3, 5, 1, 200, 2, 80, 5, 1, 1, 10, 2, 200, 5, 1})
	f.Add([]byte{4, 20, 1, 255, 1, 255, 2, 3, 4, 0, 1, 255, 6, 0, 1, 1})
	f.Fuzz(func(t *testing.T, moves []byte) { checkLink(t, moves[:min(len(moves), 80)]) })
}

// A model says when each byte arrives. Its times are since the beginning.
type model struct {
	latency   time.Duration
	rate      int64 // 0 is none
	busy      time.Duration
	passed    int64
	until     time.Duration
	arrivals  []time.Duration // but for stalls
	stalls    []span          // in order, and apart
	stalledAt time.Duration   // -1 when not
	first     int
}

// A span is a stall. Bytes written before the first one have arrived if they were due at its beginning.
type span struct {
	from, to time.Duration
	first    int
}

func (m *model) write(now time.Duration, n int) {
	for n > 0 {
		k, at := n, now
		if m.rate > 0 {
			k = min(n, wire.SegmentSize)
			if now > m.until {
				m.busy, m.passed = now, 0
			}
			m.passed += int64(k)
			m.until = m.busy + time.Duration((m.passed*int64(time.Second)+m.rate-1)/m.rate)
			at = m.until
		}
		at += m.latency
		if i := len(m.arrivals); i > 0 {
			at = max(at, m.arrivals[i-1])
		}
		for range k {
			m.arrivals = append(m.arrivals, at)
		}
		n -= k
	}
}

func (m *model) stall(now time.Duration, on bool) {
	switch {
	case on && m.stalledAt < 0:
		m.stalledAt, m.first = now, len(m.arrivals)
	case !on && m.stalledAt >= 0:
		m.stalls = append(m.stalls, span{m.stalledAt, now, m.first})
		m.stalledAt = -1
	}
}

// read is when each byte can be read.
func (m *model) read() []time.Duration {
	for i, at := range m.arrivals {
		for _, s := range m.stalls {
			if at < s.to && (at > s.from || at == s.from && i >= s.first) {
				m.arrivals[i] = s.to
				break
			}
		}
	}
	return m.arrivals
}

// A batch is how many bytes come at an instant.
type batch struct {
	at time.Duration
	n  int
}

func together(at []time.Duration) (all []batch) {
	for _, t := range at {
		if len(all) == 0 || all[len(all)-1].at != t {
			all = append(all, batch{at: t})
		}
		all[len(all)-1].n++
	}
	return all
}

// A reader notes when each byte comes.
type reader struct {
	at    []time.Duration
	bytes bytes.Buffer
	done  chan struct{}
}

func checkLink(t *testing.T, moves []byte) {
	connected(t, func(q *qtests.T, p *pair) {
		began := q.Clock().Now()
		now := func() time.Duration { return q.Clock().Since(began) }
		rd := &reader{done: make(chan struct{})}
		q.Go(func() {
			defer close(rd.done)
			buf := make([]byte, 100_000)
			for {
				n, err := p.server.Read(buf)
				for range n {
					rd.at = append(rd.at, now())
				}
				rd.bytes.Write(buf[:n])
				if err == io.EOF {
					return
				}
				if err != nil {
					q.Errorf("read: %v", err)
					return
				}
			}
		})
		m := &model{stalledAt: -1}
		wrote := play(q, p, m, now, moves)
		q.Sleep(time.Hour) // until all has arrived
		require.NoError(q, p.client.Close())
		<-rd.done
		require.True(q, bytes.Equal(wrote, rd.bytes.Bytes()), "what was written arrives, in order")
		require.Equal(q, together(m.read()), together(rd.at))
	})
}

// play plays pairs of bytes: what to do, and with how much.
func play(q *qtests.T, p *pair, m *model, now func() time.Duration, moves []byte) (wrote []byte) {
	faults := map[byte]event.Event{}
	end := func(kind byte) {
		if e, on := faults[kind]; on {
			e.End()
			delete(faults, kind)
		}
	}
	begin := func(kind byte, e event.Event) {
		end(kind)
		e.Begin()
		faults[kind] = e
	}
	for i := 0; i+1 < len(moves); i += 2 {
		x := int(moves[i+1])
		q.Wait()
		switch kind := moves[i] % 7; kind {
		case 0, 1:
			data := bytes.Repeat(moves[i:i+1], 1+x*5)
			n, err := p.client.Write(data)
			require.NoError(q, err)
			wrote = append(wrote, data[:n]...)
			m.write(now(), n)
		case 2:
			q.Sleep(time.Duration(x) * time.Millisecond)
		case 3:
			end(kind)
			if m.latency = time.Duration(x)*time.Millisecond + 3*time.Microsecond; x > 0 {
				begin(kind, p.link.Latency(wire.Up, latency.Fixed(m.latency)))
			} else {
				m.latency = 0
			}
		case 4:
			end(kind)
			if m.rate, m.until, m.passed = int64(x)*1000, -1, 0; x > 0 {
				begin(kind, p.link.Bandwidth(wire.Up, m.rate))
			}
		case 5:
			if _, on := faults[kind]; !on {
				m.stall(now(), true)
				begin(kind, p.link.Stall(wire.Up))
			}
		default:
			m.stall(now(), false)
			end(5)
		}
	}
	m.stall(now(), false)
	end(5)
	return wrote
}
