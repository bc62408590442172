package explore

import (
	"encoding/json"
	"fmt"
	"os"
	"sync"

	"github.com/go-qtests/qtests/qtests/internal/inputs"
	"github.com/go-qtests/qtests/qtests/internal/ordered"
)

// SessionVar names the file with the session of a process that searches.
const SessionVar = "QTESTS_FIND"

// A Session is what one process of a search is to do: each test that it runs, and that
// opens a bubble, goes through the seeds, or through the trials.
type Session struct {
	Results string // file to which a Result is appended as a line, at once
	Dump    string // file for the plan of a process that dies; "" for none
	// Seeds: From, From+Stride, … below To. Until is when no more begins, in ms since
	// 1970; 0 for never.
	From, To, Stride uint64
	Until            int64
	All              bool // go on behind a failure
	Explore          Spec
	Steps            map[string]int    // by test, over how many steps PCT draws, where Explore does not say
	Next             map[string]uint64 // by test, the first seed, where that is not From
	// Trials are made under the seed From, until one fails as Want says.
	Trials []Trial
	Want   string
	// Log is how many steps are kept, and Story where they go.
	Log   int
	Story string
	// Resolve is a dump of an earlier process, whose steps go to Story; nothing is run.
	Resolve string
}

// A Result is what one process says of one run. Every run has two: one when it begins, and
// one when it has ended.
type Result struct {
	Test       string
	Seed       uint64
	Trial      int  `json:",omitempty"`
	Over       bool `json:",omitempty"` // it has ended
	Steps      int  `json:",omitempty"`
	Points     int  `json:",omitempty"`
	Goroutines int  `json:",omitempty"`
	Failure    *Failure
	Choices    []ordered.Choice `json:",omitempty"` // of a run that failed
	Whole      bool             `json:",omitempty"` // these are all
	Inputs     *inputs.Inputs   `json:",omitempty"` // of a run that failed; nil for none
	Sometimes  map[string]bool  `json:",omitempty"` // what was true in this run
}

// Steps are those of a run, for its account.
type Steps struct {
	Steps []ordered.Step
	Whole bool // these are all
}

// A Failure is how a run failed.
type Failure struct {
	Kind  string // assertion, panic, deadlock, leak, race, standstill, fatal error, invariant, …
	Text  string // one line
	Where string // file:line, or ""
	Full  string `json:",omitempty"` // everything that was said
}

// Is names the failure: two failures count as the same where their names are equal.
func (f *Failure) Is() string {
	switch {
	case f == nil:
		return ""
	case f.Kind == "panic" || f.Kind == "fatal error" || f.Kind == "invariant" || f.Kind == "load":
		return f.Kind + ": " + f.Text
	case f.Where == "":
		return f.Kind
	}
	return f.Kind + " at " + f.Where
}

var current struct {
	once    sync.Once
	session *Session
	results *os.File
	err     error
}

// Current returns the session of this process, or nil. A session that cannot be read ends
// the process: nothing that it was to do could be told.
func Current() *Session {
	current.once.Do(load)
	if current.err != nil {
		fmt.Fprintln(os.Stderr, "qtests: the session of a search:", current.err)
		os.Exit(2)
	}
	return current.session
}

func load() {
	if name := os.Getenv(SessionVar); name != "" {
		current.session, current.results, current.err = open(name)
	}
}

func open(name string) (*Session, *os.File, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, nil, err
	}
	s := new(Session)
	if err := json.Unmarshal(data, s); err != nil {
		return nil, nil, err
	}
	results, err := os.OpenFile(s.Results, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	return s, results, err
}

// Tell appends a result for the process that searches.
func (s *Session) Tell(r Result) {
	line, err := json.Marshal(r)
	if err == nil {
		_, err = current.results.Write(append(line, '\n'))
	}
	if err != nil {
		panic("qtests: the results of a search: " + err.Error())
	}
}
