package load

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/benbjohnson/clock"

	"github.com/go-qtests/qtests/qtests/load/accesslog"
	"github.com/go-qtests/qtests/qtests/load/internal/life"
	"github.com/go-qtests/qtests/qtests/load/internal/record"
)

// A User makes requests. In a closed profile all requests of one user have the same User, with
// the same State. In an open profile and in a replay every request has a User of its own. Its
// methods are for the goroutine of the request, until the request ends.
type User struct {
	// State belongs to the caller, and is kept from request to request.
	State any

	run   *host
	req   record.Request // what is recorded of it
	entry *accesslog.Entry
	rand  *rand.Rand
	life  *life.Life

	prev, next *User // in the list that the user is in
}

// A host is the run of a user, as the user sees it. A user has a pointer to one that all share, which saves 8 bytes.
type host interface {
	clock() clock.Clock
	offset() time.Duration        // since the start
	random(user int64) *rand.Rand // of a user
	check(name string, ok bool)
	part(name string, d time.Duration, err error)
	measure(record.Value) error
	row(feed string) (map[string]string, error)
}

// ID is the number of the user, from 1. In an open profile it is the number of the arrival.
func (u *User) ID() int64 { return u.req.User }

// Request is the number of the request in its run, from 1, in the order of their
// starts.
func (u *User) Request() int64 { return u.req.Number }

// Step is the name of the step that runs. It is empty in NewUser.
func (u *User) Step() string {
	if u.req.Step == nil {
		return ""
	}
	return u.req.Step.Name
}

// Attempt is the number of the attempt, from 1; it rises with every retry.
func (u *User) Attempt() int { return int(u.req.Attempts) }

// Entry is the log entry that a request of a replay repeats. In other profiles it is the zero
// Entry.
func (u *User) Entry() accesslog.Entry {
	if u.entry == nil {
		return accesslog.Entry{}
	}
	return *u.entry
}

// Clock is the clock of the run.
func (u *User) Clock() clock.Clock { return (*u.run).clock() }

// Intended is when the request was due, as an offset from the start of the run. In a closed
// profile that is its start.
func (u *User) Intended() time.Duration { return u.req.Intended }

// Rand returns random numbers of this user. They depend on the seed of the run, the name of the
// scenario and the number of the user, and on nothing else.
func (u *User) Rand() *rand.Rand {
	if u.rand == nil {
		u.rand = (*u.run).random(u.req.User)
	}
	return u.rand
}

// Sleep waits for d on the clock of the run. If ctx ends before, Sleep returns its error.
func (u *User) Sleep(ctx context.Context, d time.Duration) error {
	return sleep(ctx, (*u.run).clock(), d)
}

func sleep(ctx context.Context, clk clock.Clock, d time.Duration) error {
	if d <= 0 || ctx.Err() != nil {
		return ctx.Err()
	}
	timer := clk.Timer(d)
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		timer.Stop()
		return ctx.Err()
	}
}

// Check counts ok under name, in every attempt, and returns it. A check does not make a request
// fail, but a threshold on it can fail the run: "check(name)>99%". From the 101st name on, checks
// are counted as "other".
func (u *User) Check(name string, ok bool) bool {
	(*u.run).check(name, ok)
	return ok
}

// Tag gives the request a tag, under which it is counted as well when it ends, for results and
// thresholds: "tag(region=eu).p(95)<1s". A key that is set twice keeps the later value. From the
// 101st pair of a run on, the value is counted as "other", and from the 201st on the key as well.
func (u *User) Tag(key, value string) {
	if u.req.Tags == nil {
		u.req.Tags = new(record.Tags)
	}
	u.req.Tags.Set(key, value)
}

// Part runs f as a named part of the request and measures it like a step. A part is not counted
// as a request. Part returns the error of f. A part that has the name of a step or a route is
// counted as "name (part)".
func (u *User) Part(ctx context.Context, name string, f func(ctx context.Context) error) error {
	start := (*u.run).offset()
	ended := false
	var err error
	defer func() {
		if !ended { // a panic or Goexit is passing through
			err = fmt.Errorf("%s: did not return", name)
		}
		(*u.run).part(name, (*u.run).offset()-start, err)
	}()
	err = f(ctx)
	ended = true
	return err
}

// Sequence returns a Do that runs the steps one after the other, measures each as a Part, and
// stops at the first error. The weights of the steps are not used.
func Sequence(steps ...Step) func(context.Context, *User) error {
	return func(ctx context.Context, u *User) error {
		for _, s := range steps {
			err := u.Part(ctx, s.Name, func(ctx context.Context) error { return s.Do(ctx, u) })
			if err != nil {
				return err
			}
		}
		return nil
	}
}

// Row takes the next row of a feed of the scenario. The map is shared and must
// not be changed. An unknown name panics, with those that are near.
func (u *User) Row(name string) map[string]string {
	row, err := (*u.run).row(name)
	if err != nil {
		panic("load: " + err.Error())
	}
	return row
}
