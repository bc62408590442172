package fleet

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"syscall"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/internal/text"
)

// ErrNoInstance is the error of a request for which the balancer had no instance.
var ErrNoInstance = errors.New("fleet: no instance")

// Counts say what became of requests. Offered = Answered + Refused + Failed + InFlight, always.
type Counts struct {
	Offered  uint64
	Answered uint64 // a whole answer, with a status below 500 that is not 429
	Refused  uint64 // not served: see the reasons of Refused in the package doc
	Failed   uint64 // another status from 500 on, or no whole answer
	InFlight uint64
}

// Lost is Refused + Failed.
func (c Counts) Lost() uint64 { return c.Refused + c.Failed }

// Goodput is Answered / (Offered - InFlight), and 1 where nothing was offered.
func (c Counts) Goodput() float64 {
	if c.Offered == c.InFlight {
		return 1
	}
	return float64(c.Answered) / float64(c.Offered-c.InFlight)
}

// Balanced reports whether the counts add up.
func (c Counts) Balanced() bool {
	return c.Offered == c.Answered+c.Refused+c.Failed+c.InFlight
}

func (c Counts) String() string {
	n := func(count uint64) string { return text.Grouped(int64(count)) }
	return fmt.Sprintf("%s offered = %s answered + %s refused + %s failed + %s in flight", n(c.Offered), n(c.Answered), n(c.Refused), n(c.Failed), n(c.InFlight))
}

// add adds what another instance has.
func (c *Counts) add(o Counts) {
	c.Offered += o.Offered
	c.Answered += o.Answered
	c.Refused += o.Refused
	c.Failed += o.Failed
	c.InFlight += o.InFlight
}

// Attempts are what requests were sent. First + Retries + Hedges = Σ Offered of the instances + NoInstance.
type Attempts struct {
	First, Retries, Hedges uint64
	NoInstance             uint64 // that found none
	OverBudget             uint64 // that were not made for lack of budget
}

// An outcome is what became of one request.
type outcome int

const (
	answered outcome = iota
	refused
	failed
)

func (o outcome) String() string { return [...]string{"answered", "refused", "failed"}[o] }

// begin and end count one request.
func (c *Counts) begin() { c.Offered++; c.InFlight++ }

func (c *Counts) end(o outcome) {
	c.InFlight--
	switch o {
	case answered:
		c.Answered++
	case refused:
		c.Refused++
	default:
		c.Failed++
	}
}

// A reason is why a request was refused or failed.
type reason string

// The reasons.
const (
	noInstance   reason = "no instance"
	notListening reason = "not listening"
	outOfReach   reason = "out of reach"
	queueFull    reason = "queue full"
	overloaded   reason = "overloaded" // status 429 or 503
	serverError  reason = "server error"
	broken       reason = "broken off"
	tooSlow      reason = "timeout"
	givenUp      reason = "given up" // by the client
	hedged       reason = "hedged"   // another attempt answered
)

var errHedged = errors.New("fleet: another attempt answered")

// queueHeader tells the client's side that the instance refused, and not the handler.
const queueHeader = "Fleet-Refused"

// judge says what a response, or an error in its place, means. status is what the balancer is told: 0
// for no answer, and below 0 where the instance is not to blame.
func judge(resp *http.Response, err error) (o outcome, why reason, status int) {
	if err == nil {
		return judgeStatus(resp)
	}
	switch {
	case errors.Is(err, ErrNoInstance):
		return refused, noInstance, -1
	case errors.Is(err, syscall.ECONNREFUSED):
		return refused, notListening, 0
	case errors.Is(err, errOutOfReach):
		return refused, outOfReach, 0
	case errors.Is(err, errHedged):
		return failed, hedged, -1
	case errors.Is(err, context.DeadlineExceeded):
		return failed, tooSlow, 0
	case errors.Is(err, context.Canceled):
		return failed, givenUp, -1
	}
	return failed, broken, 0
}

func judgeStatus(resp *http.Response) (o outcome, why reason, status int) {
	status = resp.StatusCode
	switch {
	case status == http.StatusTooManyRequests:
		return refused, overloaded, status
	case status == http.StatusServiceUnavailable:
		if resp.Header.Get(queueHeader) != "" {
			return refused, queueFull, status
		}
		return refused, overloaded, status
	case status >= 500:
		return failed, serverError, status
	}
	return answered, "", status
}

// errOutOfReach is the timeout of a connection to an instance of a lost zone.
var errOutOfReach error = &net.OpError{Op: "dial", Net: "memory", Err: timeoutError{}}

type timeoutError struct{}

func (timeoutError) Error() string { return "i/o timeout" }
func (timeoutError) Timeout() bool { return true }

// errBroken is what a request gets whose instance is gone.
var errBroken error = &net.OpError{Op: "read", Net: "memory", Err: syscall.ECONNRESET}

// refusedBy is the error of a connection that nobody accepts.
func refusedBy(name string) error {
	return &net.OpError{Op: "dial", Net: "memory", Addr: qtests.Addr(name), Err: syscall.ECONNREFUSED}
}

// closeBody closes the body of a request that no transport gets.
func closeBody(req *http.Request) {
	if req.Body != nil {
		_ = req.Body.Close()
	}
}

// drain reads the rest of an answer that nobody wants, at most 64 KiB.
func drain(resp *http.Response) {
	_, _ = io.CopyN(io.Discard, resp.Body, 64<<10)
	_ = resp.Body.Close()
}
