package covered

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestCountsOfAllMonitors: what one alert did in several monitors is one count; a selector is missing where no monitor has it.
func TestCountsOfAllMonitors(t *testing.T) {
	Add([]Count{{Name: "before", Monitors: 1}})
	require.False(t, On())
	require.Empty(t, Stop())
	Start()
	require.True(t, On())
	Add([]Count{
		{Origin: "a.yml", Name: "Down", Monitors: 1, Pending: 2, Fired: 1, Resolved: 1, Tests: []string{"TestB", "", "TestA"}, Missing: []string{"y", "x", "z"}},
		{Origin: "b.yml", Name: "Down", Monitors: 1},
	})
	Add([]Count{{Origin: "a.yml", Name: "Down", Monitors: 1, Pending: 1, Fired: 1, Tests: []string{"TestB", "TestC"}, Missing: []string{"x", "y"}}})
	require.ElementsMatch(t, []Count{
		{Origin: "a.yml", Name: "Down", Monitors: 2, Pending: 3, Fired: 2, Resolved: 1, Tests: []string{"TestA", "TestB", "TestC"}, Missing: []string{"x", "y"}},
		{Origin: "b.yml", Name: "Down", Monitors: 1},
	}, Stop())
	require.False(t, On())
	Start()
	require.Empty(t, Stop(), "each begins with nothing")
}

// TestTestsAreBounded: of an alert that fires in many tests, the first are kept.
func TestTestsAreBounded(t *testing.T) {
	Start()
	for n := range maxTests + 5 {
		Add([]Count{{Name: "Down", Tests: []string{fmt.Sprintf("Test%02d", n)}}})
	}
	tests := Stop()[0].Tests
	require.Len(t, tests, maxTests)
	require.Equal(t, "Test19", tests[maxTests-1])
}
