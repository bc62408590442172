package monitor

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestTransitionJSON(t *testing.T) {
	data, err := Transition{At: time.Unix(0, 0).UTC(), Alert: "A", Labels: Labels{"b": "c"}, From: Inactive, To: Pending, Value: math.NaN()}.MarshalJSON()
	require.NoError(t, err)
	require.JSONEq(t, `{"at":"1970-01-01T00:00:00Z","alert":"A","labels":{"b":"c"},"from":"inactive","to":"pending","value":"NaN"}`, string(data))
	require.Equal(t, `{b="c"}`, Labels{"b": "c"}.String())
	require.Equal(t, `m{b="c"}`, Series{Name: "m", Labels: Labels{"b": "c"}}.String())
	_, ok := Series{}.Last()
	require.False(t, ok)
}

func TestReads(t *testing.T) {
	m, err := New(Config{})
	require.NoError(t, err)
	defer m.Close()
	_, err = m.Query("up >", time.Time{})
	require.ErrorContains(t, err, `monitor: "up >": at character 5`)
	_, err = m.QueryRange("up", time.Unix(0, 0), time.Unix(20_000, 0), time.Second)
	require.ErrorContains(t, err, "more than 11000 steps")
	_, err = m.QueryRange("up", time.Unix(0, 0), time.Unix(1, 0), 0)
	require.ErrorContains(t, err, "step 0s is not positive")
	got, err := m.QueryRange("vector(time()) > 1", time.Unix(0, 0), time.Unix(3, 0), time.Second)
	require.NoError(t, err)
	require.Equal(t, []Series{{Labels: Labels{}, Samples: []Sample{{At: time.Unix(2, 0).UTC(), Value: 2}, {At: time.Unix(3, 0).UTC(), Value: 3}}}}, got)
	require.Panics(t, func() { Match("a", "(") })
	require.NotEmpty(t, Functions())
}
