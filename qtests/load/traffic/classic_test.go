package traffic

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestTypesHaveTheirShapes(t *testing.T) {
	const d = 1000 * time.Second
	for name, tt := range map[string]struct {
		profile  Profile
		requests int
	}{
		"smoke":      {Smoke(10, d), 1000},
		"average":    {AverageLoad(10, d), 9000},
		"stress":     {Stress(10, d), 16_000},
		"spike":      {Spike(10, d), 10*900 + 2*20*55 + 60*100},
		"soak":       {Soak(10, d), 7840},
		"breakpoint": {Breakpoint(10, d), 100_000},
	} {
		require.NoError(t, tt.profile.Err(), name)
		require.Equal(t, d, tt.profile.Duration(), name)
		require.InDelta(t, tt.requests, len(arrivalsOf(t, tt.profile)), 1, name)
		require.InDelta(t, tt.requests/10, len(arrivalsOf(t, tt.profile.Amplify(0.1))), 1, name)
	}
}
