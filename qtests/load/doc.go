// Package load runs scenarios: who arrives when, what they do, and what must
// hold. Under the fake clock of qtests.Run a day of traffic takes seconds and comes
// out the same every time; with a plain *testing.T the same scenario runs in real
// time against a real server.
//
//	res := load.Run(q, load.Scenario{
//		Profile:    load.Rate(200).For(time.Hour),
//		Do:         func(ctx context.Context, u *load.User) error { return get(ctx, client, "/checkout") },
//		Events:     []qtests.Event{pay.Outage().At(20 * time.Minute).For(90 * time.Second)},
//		Thresholds: []string{"p(99)<250ms", "errors<1%", "dropped==0"},
//	})
//	res.WriteHTML(q)
//
// # Terms
//
// A request is one arrival of an open profile or a replay, or one turn of a
// user of a closed one. It is scheduled when it is due, started when its step
// begins, and finished when the step has returned. Its response time counts
// from the instant at which it was due, its service time from its start: when the
// system is slower than the load, the wait is part of the response time, also
// where it was this package that had to wait (no coordinated omission).
//
// Counts add up: scheduled = started + dropped, started = finished + interrupted.
//
// # Arrivals
//
// N(t) is the area under the rate. The k-th request, k = 1, 2, …, is due at the
// instant at which N reaches k, to the nearest nanosecond, in stages of any length and in
// waves, too; the areas of stages add up, with their fractions. With drawn gaps it is
// due where N reaches the sum of the first k gaps. A run of d so has N(d) requests, rounded down: 50/s for 5 s are 250,
// the last one at the end itself. Nothing is due later because something else
// took long: requests that are under way together have a goroutine each. Such a
// goroutine may make further requests after its own, which is cheaper than a new one
// for each (bench, in this repository, measures both); it then carries along what is
// bound to goroutines, as profiler labels are.
//
// Requests of one instant run in the order of their numbers. Under the clock of
// qtests.Run each of them runs until it waits before the next one starts.
//
// # The end
//
// Nothing starts after the profile has ended. What is under way then has
// Scenario.Grace to finish; what is left is cancelled, one request after the
// other in the order of their starts, and counted as interrupted. A request that
// has not returned ten seconds after that is abandoned, and fails the test.
//
// # Real time
//
// A run takes real time unless it runs in a bubble, that of qtests.Run or a plain
// one of testing/synctest. In the latter, too, no time is lost; but its order is the
// runtime's, and not repeatable. In real time the schedule is absolute: what starts
// late starts as soon as it can and is not left out, and its response time counts
// from when it was due. Where more than 1% start over 10 ms late, the generator
// was the bottleneck: [Result.Warning] says so, and [Scenario.FailWhenSlow] makes
// it a failure. On an idle Linux machine arrivals that are a millisecond or more
// apart start within some tenths of a millisecond, woken by the kernel; those that
// are nearer to each other are woken several at once, and start up to a millisecond
// late, as all timers of Go do. Result.Late has the distribution.
//
// In a test, Ctrl-C ends the arrivals; what is under way gets its grace, and the run
// is reported as one that ended early. A second Ctrl-C ends the grace, and a
// third one the process, as does any before and after the run.
//
// Every second a line of progress is rewritten in place on the terminal from which
// the tests were started, whether or not go test passes it on to them; scenarios
// that run side by side share the line. Without a terminal, as in CI, there is none.
//
// # User code that misbehaves
//
// A step that panics is a failed request of the kind "panic: …", and fails the test with
// its stack. One that calls runtime.Goexit, as t.FailNow does, is a failed
// request of the kind "goexit: …". Neither loses the place it took. A step that
// ignores its context is waited for as described above. A step may run another
// scenario. In a closed profile, a user whose requests take no time at all and
// who does not think would never let time pass: after 10,000 of them in a row at one
// instant the run ends with an error, unless a Budget or Each ends them. So does a run
// whose NewUser or ThinkTime panics or calls runtime.Goexit; the panic fails the test
// with its stack, too.
//
// # Repeatability
//
// Under the clock of qtests.Run, JSON, text, HTML and samples of a run are the
// same, byte for byte, for one seed and any number of processors. All durations
// are rounded to the microsecond before they are recorded or compared.
//
// What a step does may break that in one way: it wakes another goroutine, by a
// channel or a mutex of its own, goes on itself, and both then do something whose
// order matters without waiting in between, so that the two race within one
// instant. What waits on the clock before it acts is safe. This package never
// starts a request, a retry or a user in the event in which another one ended.
//
// # Scale
//
// -qtests.scale=0.1, or else QTESTS_SCALE, or else 0.1 for -short, makes the runs of
// tests smaller. Under a fake clock it multiplies rates, bursts, users and
// budgets, and moves no instant. In real time it shortens the scenarios that
// are Scalable, their events and their budgets. One request at least remains:
// where the area under the rate would fall below 1, the scale is raised until it
// is 1, so that the request is due at the end of that area. What a threshold compares
// stays as it is. Results and failures say the scale where something was scaled;
// [Do] knows none.
//
// # Memory
//
// What a run keeps does not depend on the number of requests: a histogram each
// for response and service time of the run and of every step and tag, and a timeline
// of at most 600 intervals, whose width doubles when they are used up.
package load
