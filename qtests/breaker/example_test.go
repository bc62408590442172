package breaker_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/benbjohnson/clock"

	"github.com/go-qtests/qtests/qtests/breaker"
	"github.com/go-qtests/qtests/qtests/tbtest"
)

// A charge goes through the breaker. Once it is open the order is kept for later,
// and the provider is not called.
func ExampleBreaker_Do() {
	payments, err := breaker.New(breaker.Config{Name: "payments", FailureThreshold: 2})
	if err != nil {
		panic(err)
	}
	charge := func(context.Context) error {
		fmt.Println("calling the provider")
		return errors.New("connection refused")
	}
	for order := range 3 {
		err := payments.Do(context.Background(), charge)
		if errors.Is(err, breaker.ErrOpen) {
			fmt.Printf("order %d: kept for later\n", order)
			continue
		}
		fmt.Printf("order %d: %v\n", order, err)
	}
	// Output:
	// calling the provider
	// order 0: connection refused
	// calling the provider
	// order 1: connection refused
	// order 2: kept for later
}

// Call is Do for what returns a value.
func ExampleCall() {
	rates, err := breaker.New(breaker.Config{Name: "exchange-rates"})
	if err != nil {
		panic(err)
	}
	fetch := func(context.Context) (float64, error) { return 1.08, nil }
	yesterday := 1.07
	convert := func(euros float64) float64 {
		rate, err := breaker.Call(context.Background(), rates, fetch)
		if err != nil {
			rate = yesterday
		}
		return euros * rate
	}
	fmt.Println(convert(100))
	rates.SetMode(breaker.ForcedOpen)
	fmt.Println(convert(100))
	// Output:
	// 108
	// 107
}

// An HTTP client returns no error for a 503. The judge says what each answer counts as, and
// OpenFor reads from its error how long the other side wants to be left alone.
func ExampleCallJudged() {
	tooBusy := func(err error) time.Duration {
		var busy busyError
		errors.As(err, &busy)
		return busy.retryAfter
	}
	api, err := breaker.New(breaker.Config{Name: "api", FailureThreshold: 1, OpenFor: tooBusy})
	if err != nil {
		panic(err)
	}
	get := func(context.Context) (*http.Response, error) { // http.Client.Do
		return &http.Response{StatusCode: 503, Header: http.Header{"Retry-After": {"120"}}}, nil
	}
	resp, err := breaker.CallJudged(context.Background(), api, get, func(r *http.Response, err error) error {
		if err != nil || r.StatusCode < 500 {
			return err
		}
		seconds, _ := strconv.Atoi(r.Header.Get("Retry-After"))
		return busyError{time.Duration(seconds) * time.Second}
	})
	fmt.Println(resp.StatusCode, err)
	fmt.Println(api.State(), "for", api.Stats().RetryAfter.Round(time.Second))
	// Output:
	// 503 <nil>
	// open for 2m0s
}

type busyError struct{ retryAfter time.Duration }

func (e busyError) Error() string { return "busy for " + e.retryAfter.String() }

// With Allow the caller makes the call itself: here the delivery of a message is
// confirmed later than it is sent, by other code.
func ExampleBreaker_Allow() {
	broker, err := breaker.New(breaker.Config{Name: "broker"})
	if err != nil {
		panic(err)
	}
	sent, err := broker.Allow()
	if err != nil {
		panic(err)
	}
	unsent, err := broker.Allow()
	if err != nil {
		panic(err)
	}
	fmt.Println("in flight:", broker.Stats().InFlight)

	sent.Done(errors.New("not confirmed")) // the result of the call, nil for success
	unsent.Cancel()                        // the call was not made after all
	s := broker.Stats()
	fmt.Println("in flight:", s.InFlight, "failures:", s.Failures, "ignored:", s.Ignored)
	// Output:
	// in flight: 2
	// in flight: 0 failures: 1 ignored: 1
}

// How does the checkout look while the recommendations are away? A forced breaker
// stays open until its mode is changed, whatever time and results say.
func ExampleBreaker_SetMode() {
	br, err := breaker.New(breaker.Config{Name: "recommendations"})
	if err != nil {
		panic(err)
	}
	checkout := func() string { // the code under test
		items, err := breaker.Call(context.Background(), br, func(context.Context) (string, error) {
			return "two books", nil
		})
		if err != nil {
			return "your basket"
		}
		return "your basket, and " + items
	}
	br.SetMode(breaker.ForcedOpen)
	fmt.Println(br.Stats().Mode, "→", checkout())
	br.SetMode(breaker.Automatic) // the Config decides again: half-open after ResetTimeout
	br.Reset()                    // or closed at once
	fmt.Println(br.Stats().Mode, "→", checkout())
	// Output:
	// forced-open → your basket
	// automatic → your basket, and two books
}

// A script says what happens to the next calls, or at which instant the breaker
// opens, so that a retry can be tested without a provider that fails on demand.
func ExampleBreaker_Script() {
	clk := clock.NewMock()
	br, err := breaker.New(breaker.Config{Name: "shipping", Clock: clk})
	if err != nil {
		panic(err)
	}
	err = br.Script(
		breaker.RejectNext(1),
		breaker.FailNext(1, errors.New("504 Gateway Timeout")),
		breaker.OpenAt(10*time.Minute).For(time.Minute),
	)
	if err != nil {
		panic(err)
	}
	quote := func() error {
		return br.Do(context.Background(), func(context.Context) error { return nil })
	}
	for range 3 {
		fmt.Println(quote())
	}
	clk.Add(10 * time.Minute)
	fmt.Println(br.State(), "for", br.Stats().RetryAfter)
	// Output:
	// breaker: open: "shipping": scripted rejection
	// 504 Gateway Timeout
	// <nil>
	// open for 1m0s
}

// A clock that is moved by hand takes a breaker through an outage. The log has the
// exact instants: this one was half-open after 30 seconds, although the first look
// came after 45.
func ExampleBreaker_Transitions() {
	clk := clock.NewMock()
	start := clk.Now()
	br, err := breaker.New(breaker.Config{Name: "search", FailureThreshold: 3, ResetTimeout: 30 * time.Second, Clock: clk})
	if err != nil {
		panic(err)
	}
	ctx := context.Background()
	for range 3 {
		_ = br.Do(ctx, func(context.Context) error { return errors.New("no route to host") })
	}
	clk.Add(45 * time.Second)
	_ = br.Do(ctx, func(context.Context) error { return nil }) // the probe

	for _, t := range br.Transitions() {
		fmt.Println(t.At.Sub(start), t)
	}
	// Output:
	// 0s closed → open: 3 consecutive failures
	// 30s open → half-open: open for 30s
	// 45s half-open → closed: 1 consecutive successful probe
}

// What a test requires of a breaker, and how it reads when that does not hold. In
// a test, t is the test's own, or the q of qtests.Run, whose clock NewT takes.
func ExampleBreaker_RequireTransitions() {
	failed := tbtest.Run("an example has no t of its own", func(t *tbtest.TB) {
		clk := clock.NewMock()
		br := breaker.NewT(t, breaker.Config{Name: "stock", FailureThreshold: 2, ResetTimeout: time.Minute, Clock: clk})
		warehouse := func(context.Context) error { return errors.New("down") }

		for range 4 { // one call every 20 seconds
			clk.Add(20 * time.Second)
			_ = br.Do(context.Background(), warehouse)
		}
		br.RequireState(t, breaker.Open)
		br.RequireRejected(t, 2)
		br.RequireTransitions(t, breaker.Open.At(40*time.Second))

		clk.Add(20 * time.Second)
		br.RequireTransitionsInclude(t, breaker.HalfOpen, breaker.Closed)
	})
	fmt.Print(failed.Errors())
	// Output:
	// breaker stock: no closed after the first 1 of: half-open, closed
	// at     from       to         successes  failures  cause
	// 40s    closed     open       0          2         2 consecutive failures
	// 1m40s  open       half-open  0          0         open for 1m0s
	// now    half-open             0          0         2 rejected, 0 stale, 0 in flight
}

// A server tells a rejection from a failure, and its client when to come again.
func ExampleRejectedError() {
	clk := clock.NewMock()
	br, err := breaker.New(breaker.Config{Name: "tax", FailureThreshold: 1, ResetTimeout: 90 * time.Second, Clock: clk})
	if err != nil {
		panic(err)
	}
	answer := func(err error) string {
		var rejected *breaker.RejectedError
		switch {
		case errors.As(err, &rejected): // and errors.Is(err, breaker.ErrOpen)
			return fmt.Sprintf("503, Retry-After: %.0f (%s)", rejected.RetryAt.Sub(clk.Now()).Seconds(), rejected.Reason)
		case errors.Is(err, context.DeadlineExceeded):
			return "504"
		case err != nil:
			return "502"
		}
		return "200"
	}
	ctx := context.Background()
	slow := func(context.Context) error { return fmt.Errorf("tax service: %w", context.DeadlineExceeded) }
	fmt.Println(answer(br.Do(ctx, slow)))
	clk.Add(30 * time.Second)
	fmt.Println(answer(br.Do(ctx, slow)))
	// Output:
	// 504
	// 503, Retry-After: 60 (1 consecutive failure)
}
