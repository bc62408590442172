// Package load runs scenarios: who arrives when, what they do, and what must hold. Under the
// fake clock of qtests.Run a day of traffic takes seconds and comes out the same every time.
// With a plain *testing.T the same scenario runs in real time against a real server.
//
//	res := load.Run(q, load.Scenario{
//		Traffic:    traffic.Rate(200).For(time.Hour),
//		Do:         func(ctx context.Context, u *load.User) error { return get(ctx, client, "/checkout") },
//		Events:     []event.Event{pay.Outage().At(20 * time.Minute).For(90 * time.Second)},
//		Thresholds: []string{"p(99)<250ms", "errors<1%", "dropped==0"},
//	})
//	res.SaveHTML(q)
//
// Below this package: traffic says who arrives when, accesslog reads recorded logs, threshold is
// the language of what must hold, result is what a run leaves, compare compares results, and
// search looks for the load that a system keeps.
//
// # Terms
//
// A request is one arrival of an open profile or a replay, or one turn of a user of a closed
// one. It is scheduled when it is due. It is started when its step begins, and finished when the
// step has returned. Its response time counts from the instant at which it was due, its service
// time from its start. When the system is slower than the load, the wait is part of the response
// time, also where this package was the one that waited (no coordinated omission).
//
// Counts add up: scheduled = started + dropped, started = finished + interrupted.
//
// # Arrivals
//
// Package traffic says at which instants requests are due. No request is due later because
// another one took long: requests that are under way together have a goroutine each. Such a
// goroutine may make further requests after its own, which is cheaper than a new goroutine for
// each (bench, in this repository, measures both). What is bound to goroutines, as the labels of
// profilers are, is carried along.
//
// Requests of one instant run in the order of their numbers. Under the clock of qtests.Run each
// of them runs until it waits before the next one starts.
//
// # The end
//
// Nothing arrives after the profile has ended, and nothing starts, unless Scenario.ServeQueue lets
// requests start that wait for a place. What is under way then has Scenario.Grace to finish. What is left is cancelled, one request after the other in the order of their starts,
// and counted as interrupted. A request that has not returned ten seconds later is abandoned,
// and fails the test.
//
// # Real time
//
// A run takes real time unless it runs in a bubble, which qtests.Run or testing/synctest makes. In a
// bubble of testing/synctest the run takes no real time either, but its order comes from the runtime
// and is not repeatable.
//
// In real time the schedule is absolute. A request that starts late starts as soon as it can and
// is not left out, and its response time counts from when it was due. If more than 1% of the
// requests start over 10 ms late, the generator was the bottleneck: Result.Warning says so, and
// [Scenario.FailWhenSlow] makes it a failure. On an idle Linux machine arrivals that are a
// millisecond or more apart start within some tenths of a millisecond, woken by the kernel.
// Arrivals that are nearer to each other are woken several at once, and start up to a millisecond
// late, as all timers of Go do. Result.Late has the distribution.
//
// In a test, Ctrl-C ends the arrivals. What is under way gets its grace, and the run is reported
// as one that ended early. A second Ctrl-C ends the grace, and a third one the process. Before and
// after the run, every Ctrl-C ends the process.
//
// Every second a line of progress is rewritten in place on the terminal from which the tests were
// started, whether or not go test passes it on to them. Scenarios that run side by side share the
// line. Without a terminal, as in CI, there is no line.
//
// # User code that misbehaves
//
// A step that panics is a failed request of the kind "panic: …", and fails the test with its
// stack. A step that calls runtime.Goexit, as t.FailNow does, is a failed request of the kind
// "goexit: …". Neither loses the place it took. A step that ignores its context is waited for as
// described above. A step may run another scenario.
//
// A user of a closed profile whose requests take no time at all and who does not think would never
// let time pass. After 10,000 such requests in a row at one instant the run ends with an error,
// unless a Budget or Each ends them. A run also ends with an error if NewUser or ThinkTime panics
// or calls runtime.Goexit. A panic fails the test with its stack, too.
//
// # Repeatability
//
// Under the clock of qtests.Run the JSON, the text, the HTML and the request log of a run are the
// same, byte for byte, for one seed and any number of processors. All durations are rounded to the
// microsecond before they are recorded or compared.
//
// A step can break that in one way: it wakes another goroutine, by a channel or a mutex of its own,
// and goes on itself, and then both do something whose order matters without waiting in between.
// They race within one instant. A goroutine that waits on the clock before it acts is safe. This
// package never starts a request, a retry or a user in the event in which another one ended.
//
// # Scale
//
// A scale makes the runs of tests smaller. It is -qtests.scale, or else QTESTS_SCALE, or else 0.1
// under -short. Under a fake clock it multiplies rates, bursts, users and budgets, and moves no
// instant. In real time it shortens the scenarios that are Scalable, their events and their
// budgets. One request at least remains: if the area under the rate would fall below 1, the scale
// is raised until the area is 1, so that the request is due at the end of that area. What a
// threshold compares stays as it is. Results and failures say the scale where something was
// scaled, and so does the event log, from which the failure of an alert tells it. [Do] and [Try] do not scale.
//
// # Several processes
//
// A process may be one part of several (docs/distributed.md). In real time it makes its part of the
// requests: it computes the whole schedule, and of n parts part i makes the requests i, i+n, i+2n and so
// on. User.ID, User.Rand, the steps and the rows of feeds are those of the whole. MaxInFlight, MaxQueue,
// the budget of users and the free retries are divided. A part judges no thresholds, and its result has
// none: package merge judges those of the whole. Under a fake clock every part runs the whole.
//
// # Memory
//
// What a run keeps does not depend on the number of requests: histograms of response and service
// time for the run and for every step and tag, and a timeline of at most 600 intervals, whose
// width doubles when they are used up.
package load
