// Package fakehttp has a fake HTTP service: an http.RoundTripper that answers from
// httpmock responders, over a limited number of connections to each host.
//
//	api := fakehttp.NewT(t, fakehttp.Config{Max: 4, Latency: latency.Fixed(40 * time.Millisecond)})
//	api.On("GET", "/price", httpmock.NewStringResponder(200, "7"))
//	shop := NewShop(api.Client())
//	outage := api.Outage().At(20 * time.Minute).For(90 * time.Second)
//
// A request that no route answers fails with an [UnmatchedRequest], which names what
// was asked and what is registered.
//
// Latency, faults and metrics are those of package fake. A fault may concern all of
// the fake, one route (the events of a [Stub]) or the opening of connections
// ([Fake.OnConnect]). [Faults] has those that only HTTP can suffer: bursts of a status,
// slow, stalled and broken bodies, failing handshakes.
package fakehttp
