package rollout

import "time"

// A Strategy makes a Rollout, or an error that names what is wrong with it.
type Strategy interface {
	Begin(now time.Time) (Rollout, error)
}

// A Rollout decides. It keeps state, and is not safe for concurrent use.
type Rollout interface {
	// Next says what is to be. The times of its states do not fall. After a phase that is final it is not called again.
	Next(s State) Action
	// MinReady is how long an instance has to be ready until it is available.
	MinReady() time.Duration
}

// A State is what a rollout knows.
type State struct {
	Now      time.Time
	Wanted   int
	Old, New Group
}

// A Group is what is known of the instances of one side.
type Group struct {
	Instances int // without those that are being stopped
	Available int
	// Requests and Failed are those since the rollout began; refused ones count as failed.
	Requests, Failed uint64
	// P99 is the latency that 99% of them had at most.
	P99 time.Duration
}

// An Action is what is to be.
type Action struct {
	Old, New int // instances
	// Share of the requests goes to the new group. Below 0 all instances are alike.
	Share  float64
	Phase  Phase
	Reason string // "2 of 3 available"
}

// A Phase is how far a rollout is.
type Phase int

// The phases. Complete, Stuck and RolledBack are final.
const (
	Progressing Phase = iota
	Complete
	Stuck      // nothing became better until the deadline
	RolledBack // the new version was found bad, and is gone
)

func (p Phase) String() string {
	return [...]string{"progressing", "complete", "stuck", "rolled back"}[p]
}

// Final reports whether nothing more will happen.
func (p Phase) Final() bool { return p != Progressing }

// alike is the Share of instances that are all alike.
const alike = -1
