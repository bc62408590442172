// Package wire has faults happen on connections in memory: they are slow, narrow, cut, stalled or
// broken, at instants of the test's timeline or drawn from its seed, under any client.
//
//	qtests.Run(t, func(q *qtests.T) {
//		server := q.Serve(shop)
//		link := wire.NewT(q, "shop")
//		client := link.Client(server)
//		stop, err := event.Schedule(q.Context(), q.Clock(), q.EventLog(),
//			link.Latency(wire.Both, latency.Uniform(20*time.Millisecond, 80*time.Millisecond)),
//			link.Partition().At(time.Minute).For(10*time.Second),
//		)
//		…
//	})
//
// # Terms
//
// A link is a way between two hosts. Connections dialled through it, by [Link.Dialer], travel on
// it; there may be many, to several listeners. Up is from who dialled to who listens, Down is back.
// A fault is an [event.Event] made by the link: it is placed with At and For, and begun by
// event.Schedule, load.Scenario.Events, or a plan of package chaos, which draws from the seed when and
// whether it happens. A fault whose Duration is 0 stays. A write is one call of Write.
//
// # The faults
//
//	ours        toxiproxy's         what happens
//	Latency     latency, jitter     each write arrives later, by as much as is drawn for it
//	Bandwidth   bandwidth           n bytes need n/rate
//	Slice       slicer              a write arrives in pieces, with pauses
//	SlowClose   slow_close          the end of a connection arrives later
//	LimitData   limit_data          a connection ends after so many bytes
//	Timeout     timeout             nothing arrives, and connections end after a while
//	Reset       reset_peer          all open connections break
//	Loss                            a write breaks its connection, with a chance
//	Stall       timeout of 0        nothing arrives any more; dials go on
//	Partition                       nothing arrives in either direction, and dials wait
//	HalfOpen                        the host that listens is gone, and does not say so
//	Refuse      a proxy disabled    dials are refused, and all open connections break
//
// As TCP, a link loses, doubles and reorders nothing within a connection. What is held up by Stall, Partition or
// Timeout arrives when they end, in order. A packet that is lost is sent again by TCP, which is a latency; a
// connection on which too many are lost breaks, which is Loss. What is sent over several
// connections comes in any order that their latencies make.
//
// Faults of one kind may overlap: latencies and the delays of SlowClose add up, every Bandwidth is
// passed, of several LimitData the first to be reached counts, and a Stall ends when the last one does.
//
// # Exactly
//
// All instants are nominal ones of the test's clock, to the nanosecond.
//
//   - A write at t with a latency of d arrives at t + d. Writes of one connection and direction
//     do not overtake each other: one arrives no earlier than the one before it.
//   - Under Bandwidth, bytes travel in segments of at most [SegmentSize] bytes, and each arrives
//     as a whole when its last byte does: the last of n bytes, written at t on an idle link, at
//     t + n/rate, rounded up to a nanosecond, and then the latency. All connections of the link share
//     the rate of a direction, first come, first served, as on a cable. toxiproxy counts each connection alone.
//   - The end of a connection (Close, CloseWrite, Reset) travels as a write does. The peer can write until
//     it has heard; what it sends then is lost, and fails from that instant on with EPIPE.
//   - A dial takes one latency up, after which the listener accepts, and one down, after which
//     the dial returns, or is refused. Dials that wait go on when the fault ends, in turn.
//   - A write is over when its bytes are on the way: at most 64 KiB of a direction may be under way or unread, and
//     a write waits for room. So no more than 64 KiB travel per latency, as with a TCP window of that size.
//
// Deadlines of a net.Conn, and the context of a dial, count through every fault: a read from a
// stalled connection fails at its deadline, and may be tried again behind it.
//
// Without a fault a write takes the lock of its direction, and arrives at once. With one, a read that waits arms a timer; the
// package starts no goroutine. The clock counts: on the stock runtime a mutex held during a read that
// waits lets no time pass, as everywhere in a bubble.
//
// # Half-open
//
// At the beginning of HalfOpen the host that listens loses its power: its ends of the connections break, so that
// what served them ends. The other ends hear nothing of it: their writes go on until 64 KiB wait, their reads
// wait, and so do dials. At the end of the event the host is back and knows none of the
// old connections: it answers with ECONNRESET what was sent to it, or is sent next. Who only listens never hears.
//
// # Draws
//
// Each fault of a link draws from a stream of its own, by the name of the link, the number of the fault in the
// order in which they were made, the connection in the order of dials, and the write.
//
// # Hosts
//
// [Hosts] are servers by address, each with a link, and the dialers that clients take. A server of any library is one line,
// and so is its client:
//
//	hosts := wire.NewHosts(q)
//	link := hosts.Serve("grpc.memory:443", server.Serve, server.Stop)
//	grpc.NewClient("passthrough:///grpc.memory:443", grpc.WithContextDialer(hosts.DialAddr), …)
//	redis.NewClient(&redis.Options{Addr: "redis.memory:6379", Dialer: hosts.Dial})
//	http.Client{Transport: hosts.Transport2()} // HTTP/2; Transport is HTTP/1.1
//
// Where a library makes its listeners itself, give it hosts.Listen. docs/recipes.md has whole tests: gRPC, Redis, PostgreSQL,
// Kafka, S3, OpenTelemetry, slog and WebSocket.
//
// # Which connections
//
// Those dialled from a listener of qtests.Listen, q.Serve or [Hosts], and those between the components of a
// chaos.Network. Sockets are refused: no fault would repeat on them.
package wire
