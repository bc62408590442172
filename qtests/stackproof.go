package qtests

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

// proveBubble is to be called in a bubble. It returns "" if the bubble's
// goroutines can be found in a dump, and otherwise what to report.
func proveBubble() string { return bubbleProof.of(findProofInBubble) }

// proveLabels is to be called outside of bubbles. It returns "" if a goroutine
// can be found by its label in a dump and in a profile, and otherwise what to
// report.
func proveLabels() string { return labelProof.of(findProofByLabel) }

// A proof is made once in a process, and its result kept.
type proof struct {
	once    sync.Once
	problem string
}

var bubbleProof, labelProof proof

func (p *proof) of(find func() string) string {
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
		pprof.Do(context.Background(), pprof.Labels(scopeLabel, proofPath, proofKey, proofValue), func(context.Context) {
			id <- thisGoroutine().id
			<-release
		})
	}()
	f(<-id)
	close(release)
	<-ended
}

func findProofInBubble() (problem string) {
	this := thisGoroutine()
	if this.bubble == 0 || !inBubble() {
		return unreadable([]byte(fmt.Sprintf("package time says that a goroutine is in a bubble: %t; its header: %t", inBubble(), this.bubble != 0)))
	}
	withProof(func(id uint64) {
		for range proofTries {
			dump := stackDump()
			found := goroutinesWhere(dump, func(h *stackHeader) bool { return h.id == id && h.bubble == this.bubble })
			if len(found) == 1 && found[0].durable {
				problem = ""
				return
			}
			problem = unreadable(headerIn(dump, id))
			if len(found) != 1 || !found[0].runs() {
				return
			}
			runtime.Gosched() // it has not come to wait yet
		}
	})
	return problem
}

func findProofByLabel() (problem string) {
	withProof(func(id uint64) {
		dump := labelledDump()
		found := goroutinesWhere(dump, func(h *stackHeader) bool {
			return h.id == id && h.bubble == 0 && h.label(scopeLabel) == proofPath && h.label(proofKey) == proofValue
		})
		if len(found) != 1 {
			problem = unreadable(headerIn(dump, id))
			return
		}
		var profile bytes.Buffer
		_ = pprof.Lookup("goroutine").WriteTo(&profile, 1) // a buffer takes everything
		n := 0
		eachProfiled(profile.Bytes(), func(r profiled) {
			if r.scope == proofPath && r.root != "" {
				n += r.n
			}
		})
		if n != 1 {
			problem = unreadable(profile.Bytes()[:min(profile.Len(), 1<<10)])
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

// unreadable says that text of the runtime has a form that is not known.
func unreadable(text []byte) string {
	return fmt.Sprintf("qtests: %s prints goroutines in a form that this version of qtests does not read, so that no leak could be found. A newer version of qtests may; this is what it reads:\n%s", runtime.Version(), text)
}
