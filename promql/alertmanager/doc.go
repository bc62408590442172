// Package alertmanager reads a team's alertmanager.yml with Alertmanager's own library, so
// that a test can say who is told of an outage:
//
//	am, err := alertmanager.Read("alertmanager.yml")
//	…
//	cfg := monitor.Config{Targets: …, Rules: …}
//	err = am.Apply(&cfg, map[string][]monitor.Channel{"payments-pager": {notify.LogTo(t)}})
//	mon := monitor.NewT(t, cfg)
//	… an outage …
//	mon.RequireNotified(t, "payments-pager", "PaymentsDown", 2*time.Minute)
//
// Of the file come the tree of routes, with matchers, group_by, waits, continue, labels,
// and mute and active time intervals with their locations; the inhibition rules; and the
// names of the receivers, with send_resolved. Where the receivers send to has no meaning in
// a test, and is listed as passed over; what they would send is what an [Outbox] keeps:
// the texts of Slack, mail and the others, with the file's templates.
//
//	outbox := am.Outbox()
//	err = am.Apply(&cfg, map[string][]monitor.Channel{"payments-pager": {outbox}})
//	… an outage …
//	outbox.Messages()[0].Texts["title"] // [FIRING:1] PaymentsDown
package alertmanager
