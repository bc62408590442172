// Package fleet runs the user's own handler as a fleet of instances behind a balancer, under the fake
// clock of qtests.Run: routed, scaled by metrics, hit by crashes and lost zones, and rolled out anew.
//
//	qtests.Run(t, func(q T) {
//		f := fleet.NewT(q, fleet.Config{
//			New:      func(i *fleet.Instance) http.Handler { return shop.New(i.Clock()) },
//			Replicas: 3,
//			Zones:    []string{"a", "b", "c"},
//			Policy:   route.PowerOfTwo,
//			Outliers: &route.Outliers{},
//		})
//		load.Run(q, load.Scenario{
//			Traffic: traffic.Rate(50).For(time.Hour),
//			Do:      func(ctx context.Context, u *load.User) error { return get(ctx, f.Client()) },
//			Events: []event.Event{
//				f.LoseZone("a").At(10 * time.Minute).For(5 * time.Minute),
//				f.Deploy(fleet.Release{Version: "v2"}, rollout.Update{}).At(30 * time.Minute),
//			},
//		})
//		f.RequireGoodput(q, 0.999)
//		f.RequireDeployed(q, "v2")
//	})
//
// Below this package, without lock, clock or goroutine: route chooses instances, scale says how many there are to be, and
// rollout how a new version takes the place of an old one.
//
// # Terms
//
// An instance is one replica, as a pod of Kubernetes is. Its process is what runs in it: the handler that New
// returned. When a process crashes, the instance starts another one, and keeps its name. An instance is ready when it should get requests;
// the balancer knows that later, by Life.EndpointLag. A request is what a client sends; an attempt is that request sent to
// one instance. There is more than one attempt with retries and hedges.
//
// # What becomes of requests
//
// offered = answered + refused + failed + in flight, for the requests in all, and for the attempts of each instance. When the
// test ends the fleet holds all counts together, and fails the test if they do not add up:
//
//	requests  = first attempts
//	first attempts + retries + hedges = Σ attempts offered to the instances + attempts that found none
//
// A request is answered when a whole answer came, with a status below 500 that is not 429. It is refused when nothing was done for it:
//
//	no instance    the balancer had none: ErrNoInstance
//	not listening  the process does not accept connections: ECONNREFUSED
//	out of reach   its zone is lost: a timeout, after Config.ConnectTimeout
//	queue full     Capacity.MaxQueue requests wait already: status 503
//	overloaded     the handler said 429 or 503
//
// It failed when it got another status from 500 on ("server error"), when the answer broke off ("broken off"), when a timeout of the client or
// of Retry.PerTry was over ("timeout"), when the client cancelled it ("given up"), or, an attempt, when another one answered
// ("hedged"). A client must read answers to the end, or close them, as ever: until then the request is in flight.
//
// # The life of an instance
//
// An instance lives as a pod with one container does. Each step is in the event log.
//
//   - New is called when the process starts. After Life.StartUp it listens; connections are refused until then.
//   - Without Life.Readiness the instance is ready at once, before it listens. That loses requests in a deploy, as it
//     does in Kubernetes. With it the instance is ready after the first success of the probe, and not after three failures.
//   - When it is told to stop, the balancer learns so after EndpointLag. At the same time PreStop begins; after that comes SIGTERM. The
//     process refuses connections, serves what it has, and ends; or it ends at once, with DiesOnTerm. Grace
//     after the beginning what is left is killed, and breaks off. A PreStop shorter than EndpointLag loses requests.
//   - A crash breaks off what is under way. The process starts again at once, the second time in a row after 10 s, then 20 s, 40 s, up to
//     5 min; after ten minutes without a crash it begins anew.
//
// Go cannot end the goroutines of a handler from outside: in a process that has ended they go on until they return, and what they write is dropped.
// Their request's context ends, and i.Context() as well.
//
// The first instances run and are ready when NewT returns, unless Config.ColdStart says otherwise.
//
// # Capacity
//
// A request first waits for one of Capacity.Concurrency places, and then for a processor, for as long as the draw of Capacity.CPU says, both first come, first
// served. Then its handler is called, which may wait for whatever it wants. With one processor and no bound this is an M/G/1 queue. The
// processor time is the metric cpu of the autoscaler. It is used up even if the client has left.
//
// # Scaling
//
// Config.Scaling asks a scale.Scaler as often as it wants to be asked, with what a metrics server would have: for every instance the mean use of processors since the last
// time, missing for a process that was not there then. [Fleet.ScalingSummary] has replicas over time, instance-hours and flaps.
// A scaler without its metric changes nothing, and [Fleet.LastDecision] says which metric it is.
//
// # In the report of a run
//
// A Fleet is a section.Source: in load.Scenario.Sections it puts its instances, lost requests, routing, outliers, scaling and
// deployments, and a chart of its replicas, into the summary and the report of the run.
//
// # Deployments
//
// [Fleet.Deploy] starts a rollout.Strategy, which is asked every second. While it is under way the number of replicas
// may change, and the strategy heeds that. An update that never gets ready is stuck, in the end: Deployments says so, and
// RequireDeployed fails.
//
// # What it is not
//
// Connections are not modelled by Client: an attempt is one. Nothing limits the network between instances. The processors are the only
// resource; memory is the process' own.
//
// # Memory
//
// What a fleet keeps does not depend on the number of requests: counts, a timeline of 144 intervals, 1,000 instances that are gone,
// 10,000 changes of the number of replicas, 1,000 ejections, and a line for each deployment.
//
// # Repeatability
//
// On the ordered runtime a run repeats to the byte. On the stock runtime it repeats as far as handlers wait on the clock: see package qtests.
package fleet
