package record

import (
	"strings"
	"time"

	"github.com/go-qtests/qtests/qtests/tb"
)

// A Tag is one that User.Tag gave to a request.
type Tag struct{ Key, Value string }

// A Request is what is recorded of a request.
type Request struct {
	Number, User      int64
	Step              *Tally
	Tags              []Tag
	Intended, Started time.Duration // offsets from the start of the run
	Attempts          int32
	// Interrupted says that the run has cancelled it.
	Interrupted bool
}

// Response returns the response time of a request that ends at an instant. It counts
// from when the request was due.
func (q *Request) Response(end time.Duration) time.Duration { return tb.Round(end - q.Intended) }

// Service returns the service time of a request that ends at an instant. It counts from
// the start of the request.
func (q *Request) Service(end time.Duration) time.Duration { return tb.Round(end - q.Started) }

// An Ending is how a request ended.
type Ending struct {
	At                  time.Duration
	Failed, Interrupted bool
}

// A Failure is how a request failed.
type Failure struct {
	Kind, Text string
	Timeout    bool
	Bug        string // of a panic, with its stack
	Goexit     bool
}

// Name is the kind, or nothing of a request that did not fail.
func (f *Failure) Name() string {
	if f == nil {
		return ""
	}
	return f.Kind
}

var tagEscapes = strings.NewReplacer(`\`, `\\`, `;`, `\;`, `=`, `\=`)

// JoinedTags returns the tags of a request as LoggedRequest.Tags has them.
func (q *Request) JoinedTags() string {
	tags := q.Tags
	if len(tags) == 0 {
		return ""
	}
	joined := make([]string, len(tags))
	for i, t := range tags {
		joined[i] = tagEscapes.Replace(t.Key) + "=" + tagEscapes.Replace(t.Value)
	}
	return strings.Join(joined, ";")
}
