package breaker_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/breaker"
	"github.com/go-qtests/qtests/qtests/tbtest"
)

func TestRecorder(t *testing.T) {
	h := newByHand(t)
	r := breaker.NewRecorder(h, "theirs")
	r.RequireTransitions(t)
	r.Record(breaker.Closed) // no change
	h.clk.Add(time.Second)
	r.Record(breaker.Open)
	r.Record(breaker.Open)
	r.Record(breaker.State(7))
	h.clk.Add(time.Minute)
	r.Record(breaker.HalfOpen)
	r.RequireState(t, breaker.HalfOpen)
	r.RequireTransitions(t, breaker.Open.At(time.Second), breaker.HalfOpen.At(61*time.Second))
	r.RequireTransitionsInclude(t, breaker.HalfOpen)

	marks, _ := h.log.Marks()
	require.Len(t, marks, 2)
	require.Equal(t, "breaker theirs", marks[0].Source)
	require.Equal(t, "closed → open: recorded", marks[0].Text)

	got := gathered(t, r, breaker.NewT(h, breaker.Config{Name: "ours"}))
	require.EqualValues(t, 1, got["breaker_state breaker=theirs state=half-open"])
	require.EqualValues(t, 1, got["breaker_transitions_total breaker=theirs to=open"])
	require.Len(t, got, 6+11)
}

func TestRecorderFails(t *testing.T) {
	h := newByHand(t)
	r := breaker.NewRecorder(h, "theirs")
	r.Record(breaker.Open)
	const table = `at   from    to    successes  failures  cause
0s   closed  open  0          0         recorded
now  open    
`
	for want, f := range map[string]func(*tbtest.TB){
		"state is open, want closed":                   func(t *tbtest.TB) { r.RequireState(t, breaker.Closed) },
		"1 transitions, want 0: none":                  func(t *tbtest.TB) { r.RequireTransitions(t) },
		"no closed after the first 1 of: open, closed": func(t *tbtest.TB) { r.RequireTransitionsInclude(t, breaker.Open, breaker.Closed) },
	} {
		rec := tbtest.Run("failing", f)
		require.Equal(t, "breaker theirs: "+want+"\n"+table, rec.Errors())
	}
}
