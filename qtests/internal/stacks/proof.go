package stacks

import (
	"bytes"
	"context"
	"fmt"
	"runtime"
	"runtime/pprof"
	"sync"
)

// What the runtime prints of goroutines has changed between versions, and a
// reader that understands nothing finds no leak. So each way of reading it proves
// itself at its first use in a process, on a goroutine that is there to be found,
// and what cannot be read is a failure that says so.

// ProveBubble is to be called in a bubble. It returns "" if the bubble's
// goroutines can be found in a dump, and otherwise what to report.
func ProveBubble() string { return BubbleProof.Of(findProofInBubble) }

// ProveLabels is to be called outside of bubbles. It returns "" if a goroutine
// can be found by its label in a dump and in a profile, and otherwise what to
// report.
func ProveLabels() string { return LabelProof.Of(findProofByLabel) }

// A Proof is made once in a process, and its result kept.
type Proof struct {
	once    sync.Once
	problem string
}

// BubbleProof and LabelProof say whether goroutines can be found in a dump, by their bubble and by their label.
var (
	BubbleProof Proof
	LabelProof  Proof
)

// Of returns what find returned when it was called first: "", or what to report.
func (p *Proof) Of(find func() string) string {
	p.once.Do(func() { p.problem = find() })
	return p.problem
}

// The labels of the goroutine that is to be found: one that no form quotes, and
// one that all do.
const (
	proofPath  = "/proof"
	proofKey   = "qtests proof"
	proofValue = `a "b"]: {c}:`
)

// proofTries is how many dumps are taken until the goroutine has come to wait: as
// many as take some seconds.
const proofTries = 100_000

// withProof calls f while a goroutine with the labels waits, and tells it the
// goroutine's id.
func withProof(f func(id uint64)) {
	id, release, ended := make(chan uint64), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		pprof.Do(context.Background(), pprof.Labels(ScopeLabel, proofPath, proofKey, proofValue), func(context.Context) {
			id <- This().ID
			<-release
		})
	}()
	f(<-id)
	close(release)
	<-ended
}

func findProofInBubble() (problem string) {
	this := This()
	if this.Bubble == 0 || !InBubble() {
		return Unreadable([]byte(fmt.Sprintf("package time says that a goroutine is in a bubble: %t; its header: %t", InBubble(), this.Bubble != 0)))
	}
	withProof(func(id uint64) {
		for range proofTries {
			dump := Dump()
			found := Where(dump, func(h *Header) bool { return h.ID == id && h.Bubble == this.Bubble })
			if len(found) == 1 && found[0].Durable {
				problem = ""
				return
			}
			problem = Unreadable(headerIn(dump, id))
			if len(found) != 1 || !found[0].Runs() {
				return
			}
			runtime.Gosched() // it has not come to wait yet
		}
	})
	return problem
}

func findProofByLabel() (problem string) {
	withProof(func(id uint64) {
		dump := LabelledDump()
		found := Where(dump, func(h *Header) bool {
			return h.ID == id && h.Bubble == 0 && h.Label(ScopeLabel) == proofPath && h.Label(proofKey) == proofValue
		})
		if len(found) != 1 {
			problem = Unreadable(headerIn(dump, id))
			return
		}
		var profile bytes.Buffer
		_ = pprof.Lookup("goroutine").WriteTo(&profile, 1) // a buffer takes everything
		n := 0
		EachProfiled(profile.Bytes(), func(r Profiled) {
			if r.Scope == proofPath && r.Root != "" {
				n += r.N
			}
		})
		if n != 1 {
			problem = Unreadable(profile.Bytes()[:min(profile.Len(), 1<<10)])
		}
	})
	return problem
}

// headerIn returns the line of a dump that seems to be the header of a goroutine.
func headerIn(dump []byte, id uint64) []byte {
	for line := range bytes.Lines(dump) {
		if bytes.HasPrefix(line, fmt.Appendf(nil, "goroutine %d ", id)) {
			return bytes.TrimSpace(line)
		}
	}
	return []byte("(no line begins with its number)")
}

// Unreadable says that text of the runtime has a form that is not known.
func Unreadable(text []byte) string {
	return fmt.Sprintf("qtests: %s prints goroutines in a form that this version of qtests does not read, so that no leak could be found. A newer version of qtests may; this is what it reads:\n%s", runtime.Version(), text)
}
