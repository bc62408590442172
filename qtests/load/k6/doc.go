// Package k6 writes a scenario of HTTP requests as a script for k6, for a team that runs its load there
// as well. The script has the executor and the stages of the profile, steps in proportion to their
// weights, think time, pacing, timeouts, grace, tags, checks and thresholds.
//
// What a step does is Go code, which cannot be written as a script. So a step that is to be exported is
// described by a [Request], and does what that says here, too:
//
//	browse := k6.Request{Name: "browse", URL: "https://shop.example.com/items"}
//	s := load.Scenario{Steps: []load.Step{browse.Step(client, 4), pay.Step(client, 1)}, ...}
//	err := k6.Export(w, s, browse, pay)
//
// # What is the same, and what is refused
//
// What k6 cannot express is refused with the reason, and never left out: replays, bursts, waves and drawn
// gaps; a budget of an open profile, and budgets while the number of users changes; a queue in front of
// the generator; Retry, Events, Feeds, NewUser, Route, ErrorKind and FailWhenSlow; think times that are
// code or samples; thresholds over windows, on lateness, retries, timeouts, panics, interrupted requests,
// requests in flight and metrics of the scenario's own. In an open profile response times count from
// the instant at which a request was due, which k6 does not know: there a threshold on times has to be
// on the service time (service.p(95)<1s), which k6 measures as well.
//
// A script has no seed: k6 draws think times anew in each run.
package k6
