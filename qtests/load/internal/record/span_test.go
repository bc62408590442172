package record

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A span keeps what a Duration cannot.
func TestSpan(t *testing.T) {
	var s span
	for range 1000 {
		s.add(time.Duration(1<<62) + 999_999_999)
	}
	require.Equal(t, time.Duration(1<<63-1), s.duration())
	require.InEpsilon(t, 1000*(float64(1<<62)+999_999_999), s.over(1), 1e-15)
	s = span{}
	s.add(1500 * time.Millisecond)
	s.add(700 * time.Millisecond)
	require.Equal(t, 2200*time.Millisecond, s.duration())
	require.InDelta(t, 1.1, s.over(2*time.Second), 1e-12)
	s.add(800 * time.Millisecond)
	require.Equal(t, span{3, 0}, s)
}
