package qtests

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// Seeds are dealt among processes where there are several of both.
func TestWhichSeedsAreDealt(t *testing.T) {
	t.Setenv("CHILD_ENV", "QTESTS_SHARE=2/2")
	_, passed := runChild(t, "^TestChildSweep$")
	require.True(t, passed)
	t.Setenv("CHILD_ENV", "QTESTS_SHARE=1/1")
	_, passed = runChild(t, "^TestChildSweepOfOne$")
	require.True(t, passed)
}

func TestChildSweep(t *testing.T) {
	child(t)
	one := newSweep("TestX", 5, 1)
	require.True(t, one.takes(0))
	require.Zero(t, one.Of)
	s := newSweep("TestX", 5, 2)
	require.False(t, s.takes(0))
	require.True(t, s.takes(1))
	require.Equal(t, 2, s.Of)
	require.Equal(t, 2, s.Index)
}

func TestChildSweepOfOne(t *testing.T) {
	child(t)
	s := newSweep("TestX", 5, 2)
	require.True(t, s.takes(0))
	require.True(t, s.takes(1))
	require.Zero(t, s.Of)
}
