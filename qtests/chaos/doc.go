// Package chaos has faults happen that are drawn from the seed of a test: outages, latencies and
// resets of fakes, crashes of components, and partitions between them.
//
//	qtests.Run(t, func(q *qtests.T) {
//		net := chaos.NewNetwork(q)
//		disk := newDisk() // outlives the crashes
//		store := net.Component("store", func(l *chaos.Life) {
//			l.Serve(newStore(disk, l)) // its memory is made anew in each life
//		})
//		plan := chaos.NewT(q, chaos.Config{Within: time.Minute, Faults: []chaos.Fault{
//			{Event: store.Crash(), Most: 3, Longest: 10 * time.Second, Before: store},
//			{Event: net.Partition("store"), Chance: 0.2, Longest: 20 * time.Second},
//			{Event: db.Outage(), Longest: 5 * time.Second},
//		}})
//		… // the clients, by net.Test().Client()
//		q.Sleep(time.Minute)
//		plan.Stop() // from here on it has to get well
//		… // what must hold
//	})
//
// # Terms
//
// A fault is an event with bounds: how often it may happen and with what chance, when, and for how
// long. A plan draws from the seed which faults happen in a run. A component is a part of the system
// with a memory of its own. A life is a component from its start to its crash. An operation is
// what a life does that others can notice: a dial, a write to a connection, or a call of Life.Do.
//
// # The plan
//
// Each fault is drawn from a stream of its own: the seed, the name of the plan, the name of the event,
// and its number. So one that is left out changes no other. Another seed is another plan:
// QTESTS_SEEDS and go tool qtests find vary it. This holds on the stock runtime as well.
//
// The faults of a run are in the event log of the test, and in the log of a test that fails. On the
// ordered runtime they are part of what repeats a failing run: go tool qtests find, and a failure
// under several seeds, removes the faults and then the time of each fault, as far as the test fails
// without, and the account names those that are left. In the file of choices a fault is a line, with
// its instant, for how long, and before which operation.
//
// # Crashes
//
// Go can end no goroutine from outside. To have a goroutine call runtime.Goexit where it happens to be
// would run its deferred functions, which a process that dies does not, and would leave locked what it
// shares with others (a registry of metrics, a package's cache) where no deferred function unlocks it;
// and a goroutine that waits would not notice. So a crash takes a component's life from it in
// another way: at that instant everything by which it reaches others is cut. Its connections
// break, its listener refuses, Life.Do does not call its function any more, and the context of the life
// ends. The goroutines go on until they notice, and nobody notices them.
//
// For that to be true the code has to
//
//   - reach everything outside by the Life: other components by its Dial or Client, and what
//     outlives a crash (a disk, a fake that others use) by its Do;
//   - keep its memory in what the component's function makes, not in variables that lives share;
//   - end its goroutines with the context of the life, or when their connections break. What is left
//     when the test ends is a leak, as ever.
//
// What is done by one call of Do is done as a whole. Where a disk can keep half of it, make two calls.
// With Fault.Before a crash comes between two operations of the component, however little time lies
// between them, where a crash at an instant only finds a component that waits.
//
// # Partitions
//
// A partition loses nothing, as TCP does not: what is sent arrives when the partition ends, in order,
// if the connection is still there. Writes go on until 64 KiB wait. A dial waits. A timeout is
// up to the code under test.
//
// Network.Link is the way from one component to another, for the faults of package wire: latency, bandwidth,
// a host that is gone without a word. They are events of a plan like all others.
//
// # What others do
//
// FoundationDB's simulation and TigerBeetle's draw crashes, partitions and latencies from a seed,
// and have the system get well behind them, as Stop does here. madsim kills the tasks of a node at an
// await, where nothing is half done; in Go that is where a goroutine waits, and Before goes further.
package chaos
