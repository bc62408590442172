package qtests

import (
	"fmt"
	"strings"
	"time"

	"github.com/go-qtests/qtests/qtests/internal/leftbehind"
	"github.com/go-qtests/qtests/qtests/internal/stacks"
	"github.com/go-qtests/qtests/qtests/internal/tenancy"
	"github.com/go-qtests/qtests/qtests/internal/witness"
)

// A remainder is what the body and the cleanups of a test left in its bubble.
type remainder struct {
	test       string
	home       *tenancy.Home
	body       uint64 // the goroutine of the body, where others were there at the end
	permission *leftbehind.Permission
	witness    *witness.Witness
}

// describe describes the goroutines that must not stay in the bubble, which ended at now. It returns no problem where
// all that are left may stay: then the bubble is left behind. It is called from outside.
func (r *remainder) describe(now time.Duration) (problem string, notes []string) {
	all := r.home.Leftovers()
	left, stay := r.permission.Part(all)
	if len(left) == 0 && len(stay) > 0 {
		leftbehind.Add(r.home.Bubble(), leftbehind.Bubble{Test: r.test, Allowed: true})
		return "", leftbehind.DescribeStay(stay)
	}
	verb := "is"
	if len(left) != 1 {
		verb = "are"
	}
	problem = fmt.Sprintf("qtests: %s %s left behind in the bubble of %s, at %v of fake time. "+
		"End what the test starts before it returns, or in a Cleanup; what ends by itself needs time to: q.Sleep; q.Allow is for what a library gives no way to end.%s\n\n",
		stacks.Count(len(left)), verb, r.test, now, leakHint(left))
	return problem + stacks.DescribeAlike(left, func(g stacks.Goroutine) string {
		start, waited := r.witness.Date(now, g)
		return fmt.Sprintf(", started at %s, %s%s", start, waited, stacks.BehindLibrary(g, all, r.body, r.test))
	}), nil
}

// leakHint says what to do about goroutines that no code of the test has started.
func leakHint(left []stacks.Goroutine) string {
	for _, g := range left {
		if strings.Contains(g.Stack, "net/http.(*persistConn).") {
			return " A persistConn of net/http is a connection that is still open: close the body of every response, and call CloseIdleConnections of a client of your own."
		}
	}
	return ""
}
