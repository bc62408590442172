package monitor

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/monitor/internal/alert"
	"github.com/go-qtests/qtests/qtests/monitor/internal/history"
)

func firing(labels map[string]string) alert.Alert {
	return alert.Alert{Condition: alert.Condition{Labels: history.FromMap(labels)}, State: Firing}
}

// A silence begins at its instant and has ended at its end.
func TestSilenceEdges(t *testing.T) {
	start := time.Unix(0, 0)
	a := firing(map[string]string{"alertname": "A"})
	m := muting{start: start, silences: []Silence{{Matchers: []Matcher{Equal("alertname", "A")}, At: time.Minute, For: time.Minute}}}
	for at, want := range map[time.Duration]bool{
		time.Minute - 1: false, time.Minute: true, 2*time.Minute - 1: true, 2 * time.Minute: false,
	} {
		require.Equal(t, want, m.muted(start.Add(at), a, nil), "%v", at)
	}
	m.silences[0].For = 0
	require.True(t, m.muted(start.Add(1000*time.Hour), a, nil), "without an end")
	require.False(t, m.muted(start.Add(time.Hour), firing(map[string]string{"alertname": "B"}), nil))
}

func TestInhibitionEdges(t *testing.T) {
	in := Inhibition{Source: []Matcher{Equal("severity", "critical")}, Target: []Matcher{Match("severity", "critical|warning")}, Equal: []string{"team"}}
	critical, warning := firing(map[string]string{"severity": "critical", "team": "a"}), firing(map[string]string{"severity": "warning", "team": "a"})
	other := firing(map[string]string{"severity": "warning", "team": "b"})
	resolved := critical
	resolved.State = Resolved
	m := muting{inhibitions: []Inhibition{in}}
	require.True(t, m.muted(time.Time{}, warning, []alert.Alert{critical, warning}))
	require.False(t, m.muted(time.Time{}, other, []alert.Alert{critical, other}), "another team")
	require.False(t, m.muted(time.Time{}, warning, []alert.Alert{resolved, warning}))
	require.False(t, m.muted(time.Time{}, critical, []alert.Alert{critical}), "not by itself, nor by one that is both")
	none := firing(map[string]string{"severity": "warning"})
	require.True(t, m.muted(time.Time{}, none, []alert.Alert{firing(map[string]string{"severity": "critical"}), none}), "both have no team")
}
