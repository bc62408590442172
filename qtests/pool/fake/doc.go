// Package fake gives any function what a remote service has: latency, a limit of calls
// under way, errors, and outages on a timeline. A fake of a cache or of a broker is a
// map or a slice behind it.
//
//	redis := fake.NewT(t, fake.Config{Name: "redis", Max: 20, Latency: latency.Fixed(time.Millisecond)})
//	err := redis.Do(ctx, "GET", func(context.Context) error { value = data[key]; return nil })
//	outage := redis.Outage().At(20 * time.Minute).For(90 * time.Second)
//
// Package fakesql has the fake of a database, package fakehttp that of an HTTP service.
// They have the same faults, errors and counts.
//
// # The way of a call
//
// A call takes a place, passes the faults, waits for its latency on the test's clock,
// and is answered. It returns as soon as its context ends. The places (connections,
// where the fake has connections) come from a pool.Pool. That is the only queue: it is
// FIFO, and its statistics and metrics are those of the fake.
//
// The latency and the error of a call are drawn from a stream of the test's seed by the
// number of the call. The draws of one call do not depend on others.
//
// # Faults
//
// Faults are events for a timeline, the same words for all fakes: Outage, Slow,
// ErrorRate, Freeze, Flap and Brownout, of a whole fake or of one query, route,
// operation or connection. They may overlap: see [Faults].
//
// # Metrics
//
// A fake is a prometheus.Collector, with the metrics of its pool and with
//
//	fake_calls_total{fake,result="ok|error|canceled"}
//	fake_in_flight{fake}
package fake
