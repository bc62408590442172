package global

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestOtherTest: two tests that scrape at once are in each other's way, unless one is the other's subtest; a test leaves when
// its last monitor does.
func TestOtherTest(t *testing.T) {
	require.Empty(t, Enter("TestA"))
	require.Empty(t, Enter("TestA"))
	require.Empty(t, Enter("TestA/sub"))
	require.Equal(t, "TestA", Enter("TestAB"))
	Leave("TestAB")
	Leave("TestA/sub")
	Leave("TestA")
	require.Equal(t, "TestA", Enter("TestB"), "which has a monitor yet")
	Leave("TestA")
	require.Equal(t, "TestB", Enter("TestC/x"))
	Leave("TestB")
	require.Equal(t, "TestC/x", Enter("TestC/y"))
	Leave("TestC/y")
	require.Empty(t, Enter("TestC"), "above it")
	Leave("TestC")
	Leave("TestC/x")
	require.Empty(t, tests)
}
