package load

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/load/traffic"
	"github.com/go-qtests/qtests/qtests/tb"
)

// TestServeQueue has ten requests within a second. Each takes a second, and there is room for one.
func TestServeQueue(t *testing.T) {
	for name, c := range map[string]struct {
		change                                 func(*Scenario)
		finished, dropped, interrupted, errors int64
		elapsed                                time.Duration
	}{
		"without it":       {func(s *Scenario) { s.ServeQueue = false }, 1, 9, 0, 0, 1100 * time.Millisecond},
		"to its end":       {func(*Scenario) {}, 10, 0, 0, 0, 10100 * time.Millisecond},
		"within the grace": {func(s *Scenario) { s.Grace = 4500 * time.Millisecond }, 5, 4, 1, 0, 5500 * time.Millisecond},
		"with a budget":    {func(s *Scenario) { s.Traffic = s.Traffic.Budget(5) }, 5, 0, 0, 0, 5100 * time.Millisecond},
		"an abort drops it": {func(s *Scenario) {
			s.Traffic, s.Thresholds = traffic.Rate(10).For(10*time.Second), []string{"in_flight<1 abort after 2s"}
		}, 1, 17, 1, 0, 2 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			qtests.Run(t, func(q *qtests.T) {
				s := Scenario{
					Traffic: traffic.Rate(10).For(time.Second), MaxInFlight: 1, Overflow: Queue, ServeQueue: true, Grace: time.Minute, Do: serve(time.Second),
				}
				c.change(&s)
				res := resultOf(q, s)
				require.Equal(q, []int64{c.finished, c.dropped, c.interrupted}, []int64{res.Finished, res.Dropped, res.Interrupted})
				require.Equal(q, res.Scheduled, res.Started+res.Dropped)
				require.Equal(q, c.elapsed, res.Elapsed)
				if c.finished == 10 {
					require.Equal(q, 9100*time.Millisecond, res.Response.Max(), "from the instant at which it was due")
				}
			})
		})
	}
}

// TestLeaveGrace has ten users. Five leave after a second, in the middle of a request of an hour.
func TestLeaveGrace(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Scenario)
		at     time.Duration // when the first one is interrupted
	}{
		"the grace":      {func(s *Scenario) { s.Grace = 3 * time.Second }, 4 * time.Second},
		"its own":        {func(s *Scenario) { s.LeaveGrace = 5 * time.Second }, 6 * time.Second},
		"its own, short": {func(s *Scenario) { s.LeaveGrace, s.Grace = time.Second, time.Minute }, 2 * time.Second},
		"none":           {func(s *Scenario) { s.NoLeaveGrace = true }, time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			qtests.Run(t, func(q *qtests.T) {
				var first time.Duration
				s := Scenario{
					Traffic: traffic.Users(10).For(time.Second).Jump(5).For(time.Minute),
					Do: func(ctx context.Context, u *User) error {
						start := u.Clock().Now()
						err := u.Sleep(ctx, time.Hour)
						if took := tb.Round(u.Clock().Since(start)); first == 0 {
							first = took
						}
						return err
					},
				}
				c.change(&s)
				res := resultOf(q, s)
				require.Equal(q, c.at, first)
				require.EqualValues(q, 10, res.Interrupted)
			})
		})
	}
}

func TestGracesAreValidated(t *testing.T) {
	open, users := traffic.Rate(1).For(time.Second), traffic.Users(1).For(time.Second)
	for want, s := range map[string]Scenario{
		"ServeQueue: true has no meaning without Overflow: Queue": {Traffic: open, ServeQueue: true},
		"ServeQueue: true contradicts NoGrace":                    {Traffic: open, ServeQueue: true, Overflow: Queue, NoGrace: true},
		"LeaveGrace: 1s has no meaning in an open profile":        {Traffic: open, LeaveGrace: time.Second},
		"LeaveGrace: 1s contradicts NoLeaveGrace":                 {Traffic: users, LeaveGrace: time.Second, NoLeaveGrace: true},
		"LeaveGrace: -1s is negative":                             {Traffic: users, LeaveGrace: -time.Second},
	} {
		s.Do = serve(0)
		_, err := Do(t.Context(), s)
		require.ErrorContains(t, err, want)
	}
}
