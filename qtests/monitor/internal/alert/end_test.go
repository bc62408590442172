package alert_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/monitor/internal/alert"
)

// TestEndTakesWhatAnEvaluationBegan: each letter of holds is one evaluation ten seconds after the last, and
// with the last one all alerts end.
func TestEndTakesWhatAnEvaluationBegan(t *testing.T) {
	for name, test := range map[string]struct {
		hold   time.Duration
		holds  string
		want   string // what changed in the last evaluation and the end together
		known  int    // alerts that are known afterwards
		active int    // before the end, pending or firing
	}{
		"firing":                 {0, "xx", "firing→resolved", 1, 1},
		"pending":                {time.Minute, "xx", "pending→inactive", 0, 1},
		"fires with it":          {10 * time.Second, "xx", "pending→inactive", 0, 1},
		"born with it, firing":   {0, "x", "", 0, 1},
		"born with it, pending":  {time.Minute, "-x", "", 0, 1},
		"resolved with it":       {0, "x-", "firing→resolved", 1, 0},
		"resolved before":        {0, "x--", "", 1, 0},
		"a second life":          {0, "x-x", "", 0, 1},
		"nothing":                {0, "--", "", 0, 0},
		"firing after a hold":    {10 * time.Second, "xxx", "firing→resolved", 1, 1},
		"given up before its go": {20 * time.Second, "x-", "pending→inactive", 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			m := alert.Machine{For: test.hold}
			var changes []alert.Transition
			var ts time.Time
			for i, c := range test.holds {
				ts = start.Add(time.Duration(i) * 10 * time.Second)
				var conditions []alert.Condition
				if c == 'x' {
					conditions = []alert.Condition{condition("A")}
				}
				var err error
				changes, err = m.Eval(ts, conditions)
				require.NoError(t, err)
			}
			require.Equal(t, test.active, m.Active())
			var got []string
			for _, x := range m.End(ts, changes) {
				require.Equal(t, ts, x.At)
				require.Equal(t, x.To, x.Alert.State)
				got = append(got, fmt.Sprintf("%s→%s", x.From, x.To))
			}
			require.Equal(t, test.want, strings.Join(got, ", "))
			require.Zero(t, m.Active())
			require.Len(t, m.Alerts(), test.known)
			for _, a := range m.Alerts() {
				require.Equal(t, alert.Resolved, a.State)
				require.False(t, a.ResolvedAt.IsZero())
			}
		})
	}
}

// TestEndOfSeveral: the changes of others stay.
func TestEndOfSeveral(t *testing.T) {
	m := alert.Machine{}
	_, err := m.Eval(start, []alert.Condition{condition("A"), condition("B"), condition("C")})
	require.NoError(t, err)
	ts := start.Add(time.Second)
	changes, err := m.Eval(ts, []alert.Condition{condition("B"), condition("D")})
	require.NoError(t, err)
	require.Len(t, changes, 3, "A and C are resolved, D fires")
	require.Equal(t, 2, m.Active())
	var got []string
	for _, x := range m.End(ts, changes) {
		got = append(got, fmt.Sprintf("%s %s→%s", x.Alert.Labels.Get("alertname"), x.From, x.To))
	}
	require.Equal(t, []string{"A firing→resolved", "C firing→resolved", "B firing→resolved"}, got)
	require.Len(t, m.Alerts(), 3)
}
