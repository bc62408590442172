package alert_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/monitor/internal/alert"
	"github.com/go-qtests/qtests/qtests/monitor/internal/history"
)

var start = time.Unix(1000, 0)

func condition(name string) alert.Condition {
	return alert.Condition{Labels: history.NewLabels(history.Label{Name: "alertname", Value: name})}
}

// Each letter of holds is one evaluation ten seconds after the last: whether the
// condition holds, or E for one that fails.
func TestMachine(t *testing.T) {
	for name, test := range map[string]struct {
		hold, keep time.Duration
		holds      string
		want       string
	}{
		"fires in the same evaluation":          {0, 0, "-x-", "10s inactive→firing, 20s firing→resolved"},
		"fires when the hold time is over":      {20 * time.Second, 0, "xxxx", "0s inactive→pending, 20s pending→firing"},
		"a hold time between evaluations":       {15 * time.Second, 0, "xxx", "0s inactive→pending, 20s pending→firing"},
		"a gap drops a pending alert":           {20 * time.Second, 0, "xx-xxx", "0s inactive→pending, 20s pending→inactive, 30s inactive→pending, 50s pending→firing"},
		"keeps firing":                          {0, 20 * time.Second, "x---", "0s inactive→firing, 30s firing→resolved"},
		"a reassertion begins the keeping anew": {0, 20 * time.Second, "x-x---", "0s inactive→firing, 50s firing→resolved"},
		"keeping does not hold a pending one":   {20 * time.Second, time.Hour, "xx-", "0s inactive→pending, 20s pending→inactive"},
		"an error changes nothing":              {20 * time.Second, 0, "xEEx", "0s inactive→pending, 30s pending→firing"},
		"a second life":                         {0, 0, "x-x-", "0s inactive→firing, 10s firing→resolved, 20s inactive→firing, 30s firing→resolved"},
	} {
		t.Run(name, func(t *testing.T) {
			m := alert.Machine{For: test.hold, KeepFiringFor: test.keep}
			var got []string
			for i, c := range test.holds {
				ts := start.Add(time.Duration(i) * 10 * time.Second)
				var conditions []alert.Condition
				switch c {
				case 'x':
					conditions = []alert.Condition{condition("A")}
				case 'E':
					conditions = []alert.Condition{condition("A"), condition("B"), condition("A")}
				}
				changes, err := m.Eval(ts, conditions)
				require.Equal(t, c == 'E', err != nil)
				for _, x := range changes {
					got = append(got, fmt.Sprintf("%v %s→%s", x.At.Sub(start), x.From, x.To))
				}
			}
			require.Equal(t, test.want, strings.Join(got, ", "))
		})
	}
}

func TestMachineKeepsActiveAt(t *testing.T) {
	m := alert.Machine{KeepFiringFor: time.Minute}
	for i, c := range [][]alert.Condition{{condition("A")}, nil, {condition("A")}} {
		_, err := m.Eval(start.Add(time.Duration(i)*time.Second), c)
		require.NoError(t, err)
	}
	require.Len(t, m.Alerts(), 1)
	require.Equal(t, start, m.Alerts()[0].ActiveAt, "a reassertion keeps it")
	_, err := m.Eval(start, []alert.Condition{condition("A"), condition("A")})
	require.ErrorIs(t, err, alert.ErrSameLabels)
}

func TestMachineForgetsResolved(t *testing.T) {
	m := alert.Machine{}
	eval := func(at time.Duration, c ...alert.Condition) {
		_, err := m.Eval(start.Add(at), c)
		require.NoError(t, err)
	}
	eval(0, condition("A"))
	eval(time.Second)
	eval(time.Second + 15*time.Minute)
	require.Len(t, m.Alerts(), 1)
	eval(time.Second + 15*time.Minute + 1)
	require.Empty(t, m.Alerts())
}
