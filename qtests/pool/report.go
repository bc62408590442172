package pool

import (
	"fmt"
	"runtime"
	"strings"
	"time"
)

// A ReportKind says what a [Report] is about.
type ReportKind string

const (
	// LeaseOverdue: a lease has been out for Config.LeakThreshold.
	LeaseOverdue ReportKind = "lease overdue"
	// LeaseReturned: a lease that was reported overdue has ended after all.
	LeaseReturned ReportKind = "overdue lease returned"
	// CheckFailed: Config.Check rejected a resource, which has been destroyed.
	CheckFailed ReportKind = "check failed"
	// ConstructFailed: New failed. The caller that waited has got the error too.
	ConstructFailed ReportKind = "construct failed"
	// ReleaseFailed: Config.OnRelease rejected a resource, which has been destroyed.
	ReleaseFailed ReportKind = "release failed"
	// DestroyFailed: Destroy panicked or called runtime.Goexit.
	DestroyFailed ReportKind = "destroy failed"
)

// A Report tells of an event that no caller may learn of otherwise.
type Report struct {
	Kind  ReportKind
	At    time.Time
	Lease HeldLease // of LeaseOverdue and LeaseReturned
	Err   error     // of CheckFailed, ConstructFailed, ReleaseFailed and DestroyFailed
}

func (r Report) String() string {
	if r.Err != nil {
		return fmt.Sprintf("%s: %v", r.Kind, r.Err)
	}
	return fmt.Sprintf("%s: %v", r.Kind, r.Lease)
}

// A HeldLease describes a lease that is out.
type HeldLease struct {
	Resource uint64        // the resource's number within its pool, from 1
	Since    time.Time     // when it was acquired; zero unless Config.Stacks or LeakThreshold
	Held     time.Duration // for how long, to the microsecond
	// Stack is the acquiring goroutine's, innermost frame first, empty unless
	// Config.Stacks or LeakThreshold.
	Stack []runtime.Frame
}

func (l HeldLease) String() string {
	if len(l.Stack) == 0 {
		return fmt.Sprintf("resource %d (set Config.Stacks to see who acquired it)", l.Resource)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "resource %d, held for %v, acquired by", l.Resource, l.Held)
	for _, f := range l.Stack {
		fmt.Fprintf(&b, "\n\t%s\n\t\t%s:%d", f.Function, f.File, f.Line)
	}
	return b.String()
}

// maxStack is how many frames of an acquiring stack are kept.
const maxStack = 32

// callers captures the program counters of the calling stack. It leaves out the skip
// innermost frames, which are this package's.
func callers(skip int) []uintptr {
	var pcs [maxStack]uintptr
	n := runtime.Callers(skip+2, pcs[:])
	return append([]uintptr(nil), pcs[:n]...)
}

func frames(pcs []uintptr) []runtime.Frame {
	if len(pcs) == 0 {
		return nil
	}
	var out []runtime.Frame
	for it := runtime.CallersFrames(pcs); ; {
		f, more := it.Next()
		if f.Function != "" && f.Function != "runtime.goexit" {
			out = append(out, f)
		}
		if !more {
			return out
		}
	}
}
