package story

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/go-qtests/qtests/qtests/internal/ordered"
	"github.com/go-qtests/qtests/qtests/internal/site"
)

// verbs say what is done with an object.
var verbs = map[site.Op]string{
	site.MapRead: "reads the map %s", site.MapWrite: "writes to the map %s", site.Read: "reads %s", site.Write: "writes %s",
	site.Send: "sends to %s", site.Receive: "receives from %s", site.Close: "closes %s", site.Len: "asks for the length of %s",
	site.Lock: "locks %s", site.Unlock: "unlocks %s", site.RLock: "locks %s to read", site.RUnlock: "unlocks %s, which it read",
	site.TryLock: "tries to lock %s", site.Add: "adds to %s", site.Done: "is done with %s", site.Wait: "waits for %s", site.Do: "does %s once",
	site.Signal: "signals %s", site.Broadcast: "wakes all of %s", site.Get: "gets from %s", site.Put: "puts into %s",
	site.Load: "loads %s", site.Store: "stores to %s", site.Swap: "swaps %s", site.Compare: "compares and swaps %s", site.Other: "uses %s",
}

// mayWait reports whether a goroutine may have to wait where it does this.
func mayWait(op site.Op) bool {
	switch op {
	case site.Send, site.Receive, site.Lock, site.RLock, site.Wait, site.Do:
		return true
	}
	return false
}

// waiting says that somebody waits to do what a text says.
func waiting(text string) string {
	first, rest, _ := strings.Cut(text, " ")
	switch first {
	case "waits":
		return text
	case "does":
		return "waits to do " + rest
	}
	return "waits to " + strings.TrimSuffix(first, "s") + " " + rest
}

// what says what a step does, with the value where it is known and done.
func (t *teller) what(s *ordered.Step, frame *ordered.Frame, done bool) string {
	name := t.object(s, frame)
	text := fmt.Sprintf(verbs[s.Site.Op()], name)
	if value := valueOf(s); done && value != "" {
		text += " = " + value
	}
	return text
}

// object names what a step uses, as the source writes it.
func (t *teller) object(s *ordered.Step, frame *ordered.Frame) string {
	name := t.inSource(s, frame)
	if s.Object == 0 {
		return name
	}
	if t.names[s.Object] == "" {
		t.names[s.Object] = name
	}
	if name == "" {
		return t.called(s.Object)
	}
	return t.numbered(name, s.Object)
}

// inSource is what the source calls it at this step, or "".
func (t *teller) inSource(s *ordered.Step, frame *ordered.Frame) string {
	if frame == nil {
		return ""
	}
	return s.Site.In(t.source(frame.File, frame.Line))
}

// called is the name of an object, as it was used first.
func (t *teller) called(object uint64) string {
	if name := t.names[object]; name != "" {
		return t.numbered(name, object)
	}
	return fmt.Sprintf("%#x", object)
}

// numbered tells an object from others of its name.
func (t *teller) numbered(name string, object uint64) string {
	if n := t.numbers[object]; n > 0 {
		return fmt.Sprintf("%s (%d)", name, n)
	}
	return name
}

// valueOf is the value of a step, or "" where it has none to show.
func valueOf(s *ordered.Step) string {
	if s.Site.Pointer() || s.Site.Size() == 0 {
		return ""
	}
	if !s.Site.Signed() {
		return fmt.Sprint(s.Value)
	}
	shift := 64 - 8*s.Site.Size()
	return fmt.Sprint(int64(s.Value<<shift) >> shift)
}

// userFrame is the innermost frame that is neither of the standard library nor of qtests,
// nor of what was added for the points.
func userFrame(stack []ordered.Frame) *ordered.Frame {
	for i := range stack {
		f := &stack[i]
		if f.File == "" || site.Helper(f.File) || site.Standard(f.Function, f.File) || site.Library(f.Function, f.File) {
			continue
		}
		return f
	}
	return nil
}

func whereOf(f *ordered.Frame) string {
	if f == nil {
		return ""
	}
	return fmt.Sprintf("%s:%d", filepath.Base(f.File), f.Line)
}

// waitsIn is the function of the standard library, or of qtests, in which the user's code waits.
func waitsIn(stack []ordered.Frame) string {
	name := "the runtime"
	for i := range stack {
		if userFrame(stack[i:i+1]) != nil {
			break
		}
		if f := stack[i].Function; f != "" && !site.Helper(stack[i].File) {
			name = f[strings.LastIndexByte(f, '/')+1:]
		}
	}
	switch name {
	case "runtime.chanrecv1", "runtime.chanrecv2":
		return "a receive"
	case "runtime.chansend1":
		return "a send"
	case "runtime.selectgo":
		return "a select"
	}
	return name
}
