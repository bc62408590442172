package traffic

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/go-qtests/qtests/qtests/internal/text"
	"github.com/go-qtests/qtests/qtests/load/accesslog"
)

// replay is a recorded log in the order of its instants.
type replay struct {
	entries []accesslog.Entry
	origin  time.Time
	moved   bool // the origin is not the instant of the first entry
}

// Replay is a profile that repeats recorded requests at their own instants. The offset of a request is
// the time from the first entry, or from [Profile.From], to its own. Entries need not be in order.
// Several entries of one instant, as logs with a resolution of a second have, stay at that instant and
// keep the order of the log: under a fake clock each of them runs until it waits before the next one
// starts. The step of a scenario gets its entry from User.Entry.
//
// The run lasts until one second, the resolution of common logs, after the last entry.
func Replay(entries []accesslog.Entry) Profile {
	p := Profile{kind: Replayed}
	if len(entries) == 0 {
		p.fail("Replay: there are no entries")
		p.replay = &replay{}
		return p
	}
	entries = slices.Clone(entries)
	slices.SortStableFunc(entries, func(a, b accesslog.Entry) int { return a.At.Compare(b.At) })
	r := &replay{entries: entries, origin: entries[0].At}
	if span := entries[len(entries)-1].At.Sub(r.origin); span > accesslog.MaxSpan {
		p.fail("Replay: %v lie between the first entry (%v) and the last (%v): more than %v", span,
			r.origin.Format(time.RFC3339), entries[len(entries)-1].At.Format(time.RFC3339), accesslog.MaxSpan)
	}
	p.replay = r
	p.heading = fmt.Sprintf("replay of %s requests, %s to %s", text.Grouped(int64(len(entries))),
		r.origin.Format(time.DateTime), entries[len(entries)-1].At.Format(time.DateTime))
	return p
}

// From makes instant the start of the run, for example so that the timeline begins at a round hour.
// Entries before it are left out.
func (p Profile) From(instant time.Time) Profile {
	if p.replay == nil {
		p.fail("From: only a replay has an origin")
		return p
	}
	r := *p.replay
	first, _ := slices.BinarySearchFunc(r.entries, instant, func(e accesslog.Entry, t time.Time) int { return e.At.Compare(t) })
	if first == len(r.entries) {
		p.fail("From: %v is after the last entry", instant.Format(time.RFC3339))
		return p
	}
	r.entries, r.origin, r.moved = r.entries[first:], instant, true
	if r.entries[0].At.Sub(instant) > accesslog.MaxSpan {
		p.fail("From: %v is more than %v before the first entry", instant.Format(time.RFC3339), accesslog.MaxSpan)
	}
	p.replay = &r
	return p
}

// maxReplay is how long a replay may last: a hundred years.
const maxReplay = 100 * 366 * 24 * time.Hour

// Speed replays faster, with a factor over 1, or slower: it divides every offset by factor. Several
// factors multiply. The log keeps a length of a nanosecond at least.
func (p Profile) Speed(factor float64) Profile {
	if p.replay == nil {
		p.fail("Speed: %v: only a replay has a speed; change the rate", factor)
		return p
	}
	product := p.speedFactor() * factor
	switch length := p.replay.duration(product); {
	case !(factor > 0) || math.IsInf(factor, 1):
		p.fail("Speed: %v is not a finite number > 0", factor)
	case length > maxReplay:
		p.fail("Speed: %v stretches the log beyond %v", factor, maxReplay)
	case length <= 0 && len(p.replay.entries) > 0:
		p.fail("Speed: %v leaves the log no time", factor)
	default:
		p.speed = product
	}
	return p
}

func (p Profile) speedFactor() float64 {
	if p.speed == 0 {
		return 1
	}
	return p.speed
}

// Origin is the instant of the log at which a replay starts, if it keeps the log's own speed. For other profiles it is zero.
func (p Profile) Origin() time.Time {
	if p.replay == nil || p.longer != 0 || p.speedFactor() != 1 {
		return time.Time{}
	}
	return p.replay.origin
}

// Offset returns when a replay gets to an instant of the log, for events that belong to it. For other
// profiles it is zero.
func (p Profile) Offset(instant time.Time) time.Duration {
	if p.replay == nil {
		return 0
	}
	return Divide(instant.Sub(p.replay.origin), p.speedFactor())
}

func (r *replay) duration(speed float64) time.Duration {
	if len(r.entries) == 0 {
		return 0
	}
	return Divide(r.entries[len(r.entries)-1].At.Sub(r.origin)+time.Second, speed)
}

// replaySource plays entry i floor((i+1)·amplify) - floor(i·amplify) times, and at least one entry in
// all.
type replaySource struct {
	sound
	*replay
	speed, amplify float64
	i              int
	left           int64
	played         int64
}

func (s *replaySource) Next() (Arrival, bool) {
	for s.left == 0 {
		if s.i == len(s.entries) {
			if s.played > 0 {
				return Arrival{}, false
			}
			s.i--
			s.left = 1
			break
		}
		s.left = int64(math.Floor(float64(s.i+1)*s.amplify)) - int64(math.Floor(float64(s.i)*s.amplify))
		if s.left == 0 {
			s.i++
		}
	}
	e := &s.entries[s.i]
	s.left--
	s.played++
	if s.left == 0 {
		s.i++
	}
	return Arrival{Divide(e.At.Sub(s.origin), s.speed), e}, true
}
