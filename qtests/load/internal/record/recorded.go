package record

import (
	"strings"
	"time"

	"github.com/go-qtests/qtests/qtests/tb"
)

// A Tag is one that User.Tag gave to a request.
type Tag struct{ Key, Value string }

// A Request is what is recorded of a request. A run has one for every user, and so the small parts are together.
type Request struct {
	Number, User      int64
	Step              *Tally
	Tags              *Tags
	Intended, Started time.Duration // offsets from the start of the run
	Attempts          int32
	Choice            int16 // 1 and the place of the step among those of the scenario, or 0 without a choice
	Interrupted       bool  // the run has cancelled it
	TimedOut          bool  // the latest attempt failed at its time limit or later
}

// Tags are those of a request. A nil Tags has none.
type Tags struct{ all []Tag }

// Set adds a tag. A key that is set twice keeps the later value.
func (t *Tags) Set(key, value string) {
	for i := range t.all {
		if t.all[i].Key == key {
			t.all[i].Value = value
			return
		}
	}
	t.all = append(t.all, Tag{Key: key, Value: value})
}

// All returns the tags in the order in which their keys came.
func (t *Tags) All() []Tag {
	if t == nil {
		return nil
	}
	return t.all
}

// Clear takes all tags away, and keeps their memory.
func (t *Tags) Clear() {
	if t != nil {
		t.all = t.all[:0]
	}
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
	tags := q.Tags.All()
	if len(tags) == 0 {
		return ""
	}
	joined := make([]string, len(tags))
	for i, t := range tags {
		joined[i] = tagEscapes.Replace(t.Key) + "=" + tagEscapes.Replace(t.Value)
	}
	return strings.Join(joined, ";")
}
