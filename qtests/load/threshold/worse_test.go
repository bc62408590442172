package threshold

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/load/internal/record"
)

// Of two values the worse is the one that is further on the wrong side.
func TestWorse(t *testing.T) {
	for op, want := range map[string][3]bool{ // of 7 and 5, 5 and 7, 1 and 7, with a value of 5
		"<": {true, false, false}, "<=": {true, false, false}, ">": {false, true, true}, ">=": {false, true, true},
		"==": {true, false, true}, "!=": {false, true, false},
	} {
		c := criterion{Threshold: Threshold{Op: op, Value: 5}}
		require.Equal(t, want, [3]bool{c.worse(7, 5), c.worse(5, 7), c.worse(1, 7)}, op)
		require.False(t, c.worse(6, 6), op)
	}
	require.False(t, (&criterion{Threshold: Threshold{Op: "==", Value: 5}}).worse(4, 6), "as far on either side")
}

func TestShownValues(t *testing.T) {
	for want, x := range map[string]float64{"1,234,567": 1234567, "0.5": 0.5, "-3": -3, "9.007199254740992e+15": 1 << 53, "9,007,199,254,740,991": 1<<53 - 1} {
		require.Equal(t, want, showUnit(x, Count))
	}
}

// Silent windows are judged as well: a rate that fails in one of them fails in all of them, however long the silence is.
func TestSilentWindows(t *testing.T) {
	for _, tc := range []struct {
		threshold       string
		windows, broken int
	}{
		{"rate>0/s every 1s", 10, 8}, {"count<5 every 1s", 10, 0}, {"errors<1% every 1s", 2, 0},
	} {
		rec := record.New(10 * time.Second)
		j, err := NewJudge([]string{tc.threshold}, nil, 10*time.Second, rec)
		require.NoError(t, err)
		for _, at := range []time.Duration{500 * time.Millisecond, 9500 * time.Millisecond} {
			q := record.Request{Step: &rec.All, Intended: at, Started: at}
			rec.Start(q.Step, at)
			if j.Due(at) {
				j.Turn(at)
			}
			e := record.Ending{At: at}
			rec.End(&q, &e)
			j.Ended(&q, &e)
		}
		v := j.Verdicts(10 * time.Second)[0]
		require.Equal(t, []int{tc.windows, tc.broken}, []int{v.Windows, v.Broken}, "%s: %+v", tc.threshold, v)
	}
}
