// Package notify has channels for the alerts of a monitor: [Webhook], [Mail], [OpenFile],
// [Slog], [LogTo], and a [Recorder] for assertions.
//
//	var told notify.Recorder
//	mon := monitor.NewT(t, monitor.Config{Rules: rules, Channels: []monitor.Channel{&told, notify.LogTo(t)}})
//
// Inside a bubble the timeouts of a real socket are fake, and never fire while a
// goroutine waits for the socket. Therefore Webhook and Mail refuse a real address there
// ([ErrRealSocket]). Give them a client or a dialer that stays in memory, or an
// [Outside], which sends in real time on a goroutine outside the bubble.
package notify
