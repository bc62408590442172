package memnet

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/internal/stress"
	"github.com/go-qtests/qtests/qtests/tb"
)

// TestRingModel compares random pushes and pops with a plain slice.
func TestRingModel(t *testing.T) {
	for seed := range uint64(3 * stress.Factor(t)) {
		rnd := tb.NewStream(seed, "ring").Rand()
		moves := make([]byte, 2*500)
		for i := range moves {
			moves[i] = byte(rnd.Uint32())
		}
		checkRing(t, moves)
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

func FuzzRing(f *testing.F) {
	f.Add([]byte{0, 255, 1, 255, 0, 1, 1, 1})
	f.Add([]byte{2, 16, 2, 16, 3, 8, 2, 16})
	f.Fuzz(func(t *testing.T, moves []byte) { checkRing(t, moves[:min(len(moves), 2000)]) })
}

// checkRing plays pairs of bytes: what to do, and with how many bytes.
func checkRing(t *testing.T, moves []byte) {
	var r ring
	var want []byte
	next := byte(0)
	for i := 0; i+1 < len(moves); i += 2 {
		size := int(moves[i+1]) << (moves[i] >> 4) // up to 8 MiB
		size = min(size, 2*Buffer)
		if moves[i]%2 == 0 {
			p := make([]byte, size)
			for j := range p {
				next++
				p[j] = next
			}
			n := r.push(p)
			require.Equal(t, min(size, Buffer-len(want)), n)
			want = append(want, p[:n]...)
		} else {
			p := make([]byte, size)
			n := r.pop(p)
			require.Equal(t, min(size, len(want)), n)
			require.True(t, bytes.Equal(want[:n], p[:n]), "the bytes that came first")
			want = want[n:]
		}
		require.Equal(t, len(want), r.n)
		switch {
		case len(want) == 0:
			require.Nil(t, r.buf, "an empty ring holds no buffer")
		case len(want) > SmallBuffer:
			require.Len(t, r.buf, Buffer)
		}
	}
	r.drop()
	require.Zero(t, r)
}

// TestRingKeepsASmallBuffer for as long as it is enough: up to its last byte, and without moving what is there.
func TestRingKeepsASmallBuffer(t *testing.T) {
	var r ring
	r.push(make([]byte, 1))
	before := &r.buf[0]
	require.Equal(t, SmallBuffer-1, r.push(make([]byte, SmallBuffer-1)))
	require.Len(t, r.buf, SmallBuffer)
	require.Same(t, before, &r.buf[0])
	r.push(make([]byte, 1))
	require.Len(t, r.buf, Buffer)
	r.cut(2)
	require.Equal(t, 2, r.n)
	r.cut(0)
	require.Zero(t, r)
	r.push(make([]byte, SmallBuffer))
	require.Len(t, r.buf, SmallBuffer, "all of it at once")
}
