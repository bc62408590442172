// Package traffic says who arrives when. A [Profile] is a value that every method returns
// a changed copy of:
//
//	traffic.Rate(200).For(time.Hour)                                  // open: 200 requests a second
//	traffic.Rate(0).To(100, time.Minute).For(time.Hour).Poisson()     // stages, and drawn gaps
//	traffic.Users(50).For(time.Hour)                                  // closed: each waits for an answer
//	traffic.Replay(log.Entries).Speed(10)                             // a recorded log
//
// # Arrivals
//
// N(t) is the area under the rate from the start to t. Request k, k = 1, 2, …, is due at the
// instant at which N reaches k, to the nearest nanosecond, however long the stages are and
// whatever shape they have. The areas of all stages add up, with their fractions. With drawn
// gaps, request k is due where N reaches the sum of the first k gaps. A run of length d so
// has N(d) requests, rounded down: 50/s for 5 s are 250, and the last one is due at the end
// itself.
//
// # Errors
//
// A parameter without meaning is kept until the profile is used. [Profile.Err] tells it.
//
// Profiles are safe for concurrent use. What [Profile.Source] and [Profile.Changes] return
// is for one goroutine at a time.
package traffic
