// Package fakehttp has a fake HTTP service: an http.RoundTripper that answers from
// httpmock responders, over a limited number of connections to each host.
//
//	api := fakehttp.NewT(t, fakehttp.Config{Max: 4, Latency: latency.Fixed(40 * time.Millisecond)})
//	api.On("GET", "/price", httpmock.NewStringResponder(200, "7"))
//	shop := NewShop(api.Client())
//	outage := api.Outage().At(20 * time.Minute).For(90 * time.Second)
//
// # Routes
//
// URLs are compared by what they mean: the order of the query, the default port of the
// scheme and the case of the host make no difference. A request that no route answers
// fails with an [UnmatchedRequest], which names the nearest routes and why they do not
// answer. It also fails the test when the test ends, whatever the code under test made of
// the error: see Config.AllowUnexpected.
//
// # Requests and responses
//
// They are those of http.Transport over HTTP/1.1, whatever the responder left out: a
// Status with its text, a Content-Length or chunks, no body for HEAD, 204 and 304,
// canonical header names, trailers at the end of the body, gzip decoded for a client that
// did not ask for it, "Connection: close", Request.Close, CloseIdleConnections, the hooks
// of package httptrace, and for a 101 a body that can be written to. [Stub.Inform] sends
// informational answers. [Stub.Capture] keeps requests.
//
// A body ends with the context of its request, and with an outage that begins while it is
// open, also where a read waits for the responder. The connection is given up at that
// instant, whether or not the caller reads on. The Read of a responder's body runs on a
// goroutine of its own, unless the body is in memory.
//
// # Latency, faults, metrics
//
// Latency, faults and metrics are those of package fake. A fault may concern all of
// the fake, one route (the events of a [Stub]) or the opening of connections
// ([Fake.OnConnect]). [Faults] has those that only HTTP can suffer: bursts of a status,
// slow, stalled and broken bodies, failing handshakes.
package fakehttp
