package fault

// A Line is the connection that a call was answered on, while the caller still uses it:
// it reads a body or rows. An outage that begins meanwhile cuts the line, for good.
// [Engine.Attach] and [Engine.DoOn] make one. All methods are safe for concurrent use.
type Line struct {
	engine *Engine
	place  waiter        // on the engine's list, also of a call on its way to the line; the engine's lock guards it, and the next two
	gone   chan struct{} // closed when the line is cut; nil if nobody has asked
	cut    bool
	holder Holder
}

func (l *Line) prepare(e *Engine, c *Call, h Holder) {
	*l = Line{engine: e, holder: h}
	l.place.call, l.place.hold = c, Freeze
}

// A Holder is told that its line has been cut.
type Holder interface{ LineCut() }

// Cut returns a channel that is closed when the line has been cut.
func (l *Line) Cut() <-chan struct{} { return l.engine.cutOf(l) }

// Err returns why the line has been cut, or nil. It knows so from the instant of the
// outage, which may be before Cut's turn has come. It takes no lock: the error of a place
// that was struck does not change.
func (l *Line) Err() error {
	if !l.place.struck.Load() {
		return nil
	}
	return l.place.err
}

// Detach gives the line up. It may be called again.
func (l *Line) Detach() { l.engine.detach(l) }

func (l *Line) cutNow() {
	l.engine.cutLine(l)
	if l.holder != nil {
		l.holder.LineCut()
	}
}

func (e *Engine) attachLocked(l *Line) {
	w := &l.place
	w.line, w.held, w.free = l, false, false // a call that has waited there has ended
	// An outage since the call was let through may have struck its place already, and be over.
	if w.err == nil && e.Script().First(Outage, w.call.On) != nil {
		w.strike(cutOff(e.name, w.call.Op))
	}
	if l.cut = w.err != nil; !l.cut {
		e.mu.waiting.push(w)
	}
}
