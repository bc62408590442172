package rollout

import (
	"fmt"
	"time"

	"github.com/go-qtests/qtests/qtests/internal/field"
)

// BlueGreen starts all new instances, and then sends all requests to them.
type BlueGreen struct {
	MinReady time.Duration // default 0
	Keep     time.Duration // how long the old ones stay behind the switch; default 0
	Deadline time.Duration // until all are available; default 10 min
}

// Begin implements [Strategy].
func (b BlueGreen) Begin(now time.Time) (Rollout, error) {
	c := field.Check("rollout: BlueGreen")
	c.Duration("MinReady", b.MinReady)
	c.Duration("Keep", b.Keep)
	c.Duration("Deadline", b.Deadline)
	b.Deadline = or(b.Deadline, DefaultDeadline)
	c.That(b.MinReady < b.Deadline, "MinReady", b.MinReady, "is not below Deadline, %v", b.Deadline)
	return &blueGreen{cfg: b, progress: progress{deadline: b.Deadline, last: now}}, c.Result()
}

type blueGreen struct {
	cfg BlueGreen
	progress
	switched time.Time
}

func (b *blueGreen) MinReady() time.Duration { return b.cfg.MinReady }

// Next implements [Rollout].
func (b *blueGreen) Next(s State) Action {
	a := Action{Old: s.Old.Instances, New: s.Wanted, Reason: available(s)}
	if b.switched.IsZero() {
		switch {
		case s.New.Available >= s.Wanted && s.New.Instances >= s.Wanted:
			b.switched = s.Now
		case b.late(s):
			a.New, a.Phase = 0, RolledBack
			a.Reason = fmt.Sprintf("%s, and nothing became better for %v", a.Reason, b.deadline)
			return a
		default:
			return a
		}
	}
	a.Share, a.Reason = 1, "switched"
	if s.Now.Sub(b.switched) < b.cfg.Keep {
		return a
	}
	a.Old = 0
	if s.Old.Instances == 0 && s.New.Instances == s.Wanted {
		a.Phase = Complete
	}
	return a
}
