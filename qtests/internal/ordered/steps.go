package ordered

import (
	"runtime"
	"time"

	"github.com/go-qtests/qtests/qtests/internal/site"
)

// StepKind is what a goroutine did.
type StepKind uint32

const (
	StepPoint  StepKind = iota // it passed a point, and did what the site says
	StepHeld                   // it lost the turn at a point
	StepWaits                  // it began to wait
	StepWakes                  // it made another goroutine able to run
	StepStarts                 // it started another goroutine
	StepEnds
	StepAhead // it got the turn ahead of another, which had waited longer
)

// rawStep has the layout of the runtime's planStep.
type rawStep struct {
	Kind, Site                 uint32
	G, Other, Addr, Value, Now uint64
	PCs                        [stepDepth]uint64
}

// A Frame is a function and a line of a stack.
type Frame struct {
	Function, File string
	Line           int
}

// A Step is what a goroutine did, for the account of a run.
type Step struct {
	Kind      StepKind
	Site      site.Site
	Goroutine uint64        // its identity, 0 for none: a timer, or something outside the bubble
	Other     uint64        // the goroutine that was woken or started
	Object    uint64        // the address of what a point uses
	Value     uint64        // what was read or written, where the site has a size
	At        time.Duration // fake time since the bubble began
	Stack     []Frame       // innermost first
	Starts    string        // the function of a goroutine that was started
}

// Steps of the log, in their order, and whether they are all.
func (p *Plan) Log() ([]Step, bool) {
	n := min(p.head.logN, p.head.logRoom)
	steps := make([]Step, n)
	for i := range steps {
		steps[i] = p.log[i].step()
	}
	return steps, n == p.head.logN
}

// bubbleBegins is the instant at which the time of a bubble begins, 2000-01-01.
const bubbleBegins = 946684800 * int64(time.Second)

func (r *rawStep) step() Step {
	s := Step{
		Kind: StepKind(r.Kind), Site: site.Site(r.Site), Goroutine: r.G, Other: r.Other, Object: r.Addr, Value: r.Value,
		At: time.Duration(int64(r.Now) - bubbleBegins), Stack: framesOf(r.PCs[:]),
	}
	if s.Kind == StepStarts {
		if f := runtime.FuncForPC(uintptr(r.Addr)); f != nil {
			s.Starts = f.Name()
		}
		s.Object = 0
	}
	return s
}

func framesOf(raw []uint64) []Frame {
	pcs := make([]uintptr, 0, len(raw))
	for _, pc := range raw {
		if pc == 0 {
			break
		}
		pcs = append(pcs, uintptr(pc))
	}
	if len(pcs) == 0 {
		return nil
	}
	var all []Frame
	frames := runtime.CallersFrames(pcs)
	for {
		f, more := frames.Next()
		all = append(all, Frame{f.Function, f.File, f.Line})
		if !more {
			return all
		}
	}
}
