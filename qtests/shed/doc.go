// Package shed refuses what a service cannot serve in time, in production as in tests: it links no
// package testing, and waits on no clock but the one it is given.
//
//	gate, err := shed.New(shed.Config{
//		Limit:    &shed.Gradient{},                                  // how many at once, found by latency
//		Queue:    shed.Queue{Max: 200, CoDel: true},                 // who waits too long is refused
//		Classes:  []shed.Class{{Name: "pay", Priority: 1}, {Name: "browse"}},
//		Classify: func(r *http.Request) string { return r.Header.Get("Class") },
//	})
//	http.ListenAndServe(addr, gate.Handler(mux))
//
// # Terms
//
// A request is offered to a [Gate]. It is admitted when it may go on, at once or after waiting, and refused when it
// may not. Who stops to wait has given up. offered = admitted + refused + given up + waiting, always, for each class and
// in all. [Stats] has the numbers, and a Gate is a prometheus.Collector.
//
// # Limits
//
// A limit is how many requests are admitted at once. [Fixed] is a number. The others follow the latency of what they admit, with the
// formulas and defaults of Netflix' concurrency-limits:
//
//   - [AIMD]: a request that was dropped, or took longer than Timeout (5 s), makes it limit · 0.9; otherwise it grows by 1 when at least half
//     of it is in use. From 20 to 200, at first 20.
//   - [Gradient] (Gradient2): long is an exponential average of the latency over 600 samples, after 10 whose mean it is. If long is more than
//     twice the latency it shrinks to 0.9 of itself. Then, when at least half of the limit is in use,
//     gradient = max(0.5, min(1, long/latency)), limit' = limit·(1-s) + s·(limit·gradient + 4), s = 0.2. From 20 to 200, at first 20.
//   - [Vegas]: queue = ceil(limit · (1 - least/latency)), least the lowest latency seen. With log = max(1, floor(log10 limit)): queue <= log adds 6·log,
//     queue < 3·log adds log, queue > 6·log takes log away, and so does a drop. Every 30 · limit · (0.5 to 1) samples
//     the lowest latency is measured anew. From 1 to 1000, at first 20.
//
// [Windowed] gives a limit one sample for each window of a second (and at least 10 requests): their mean latency, as WindowedLimit does.
//
// # Queues
//
// Who finds the limit used up waits, if a [Queue] says so. It is first come, first served, unless
//
//   - CoDel: RFC 8289. When who is next has waited longer than Target (5 ms), and so had all for Interval (100 ms), it is refused, the next one
//     Interval/√2 later, then Interval/√3, until one has waited less.
//   - AdaptiveLIFO: as described in "Fail at Scale" (Maurer, 2015). While the queue has not been empty for Interval it is overloaded: the last one who
//     came is the first to go, and who has waited longer than Target is refused. Otherwise the first goes first, and may wait for Interval.
//
// # Classes
//
// A class has a queue of its own. Those of higher Priority go first. Classes of one priority share by Weight: the next one is that with the
// smallest admitted/weight (start-time fair queueing with requests of one size). When the queue is full, a request of a higher priority takes the
// place of the one of the lowest priority that came last.
//
// # Clients
//
// [Throttle] is the adaptive throttling of clients of the SRE book ("Handling Overload", 2016): with the requests and the accepts of the last two minutes
// a request is refused, before it is sent, with the chance
//
//	max(0, (requests - K·accepts) / (requests + 1))     K = 2
//
// [Bulkheads] keep a limit for each key, such as a host, so that a slow one takes no places from the others. [RateLimit] wraps a token bucket:
// *rate.Limiter of golang.org/x/time/rate is one.
//
// All types are safe for concurrent use.
package shed
