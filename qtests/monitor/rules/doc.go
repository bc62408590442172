// Package rules makes rules for a monitor: from Prometheus' rule files ([Read], [Parse]),
// from service level objectives ([BurnRate]) and from the environment ([FromEnv]).
//
//	alerts, err := rules.Read("alerts.yaml")
//	mon := monitor.NewT(t, monitor.Config{Gatherers: gatherers, Rules: alerts})
package rules
