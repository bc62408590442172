package pool

import "time"

// result is how an acquire ended, in the order of resultNames.
type result uint8

const (
	resultOK result = iota
	resultTimeout
	resultCanceled
	resultShed
	resultClosed
	resultError
	results
)

var resultNames = [results]string{"ok", "timeout", "canceled", "shed", "closed", "error"}

// destroyReason is why a resource was destroyed.
type destroyReason uint8

const (
	destroyedDiscarded destroyReason = iota
	destroyedLifetime
	destroyedIdle
	destroyedUses
	destroyedCheck
	destroyedSurplus
	destroyedReset
	destroyedClose
	destroyedOrphan
	destroyReasons
)

// counts are the running totals of a core.
type counts struct {
	results                      [results]uint64
	waited                       uint64
	wait                         time.Duration
	constructed, constructErrors uint64
	destroyed                    [destroyReasons]uint64
	hijacked, overdue            uint64
	panics                       uint64
}

// Stats is one snapshot of a pool: all its numbers are of the same instant. The
// counters run from the construction of the pool.
type Stats struct {
	Name     string
	Min, Max int

	Idle         int
	InUse        int
	Constructing int // being made or checked
	Waiters      int // callers in the queue, those promised a resource included

	Suspended, Closed bool

	Acquired uint64        // acquires that ended with a lease, of any kind
	Timeouts uint64        // … with AcquireTimeout or the deadline of the context
	Canceled uint64        // … with a cancelled context
	Shed     uint64        // … with ErrOverloaded
	Rejected uint64        // … with ErrClosed
	Errors   uint64        // … with the error of New, of OnAcquire or of the breaker
	Waited   uint64        // of all of these, how many had to wait
	WaitTime time.Duration // how long those waited, together

	Constructed     uint64
	ConstructErrors uint64
	Hijacked        uint64
	Overdue         uint64 // leases reported by LeakThreshold

	Destroyed          uint64 // the sum of the following
	DestroyedDiscarded uint64
	DestroyedLifetime  uint64
	DestroyedIdle      uint64
	DestroyedUses      uint64
	DestroyedCheck     uint64 // rejected by Check
	DestroyedSurplus   uint64 // beyond Max after Resize, or beyond MaxIdle
	DestroyedReset     uint64
	DestroyedClose     uint64
	DestroyedOrphan    uint64 // made or checked too late: after Reset, Resize or Close

	Panics uint64 // of Destroy and OnReport
}

// Total is the number of resources that count against Max.
func (s Stats) Total() int { return s.Idle + s.InUse + s.Constructing }
