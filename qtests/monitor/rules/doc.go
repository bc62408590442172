// Package rules makes rules for a monitor: from Prometheus' rule files ([Read], [Parse]),
// from service level objectives ([BurnRate]) and from the environment ([FromEnv]).
//
//	alerts, err := rules.Read("alerts.yaml")
//	mon := monitor.NewT(t, monitor.Config{Gatherers: gatherers, Rules: alerts})
//
// [ReadPrometheus] reads a prometheus.yml with all rule files that it names: the targets
// with their labels, the intervals and the external labels. What has no meaning in a test
// is listed as passed over.
//
//	file, err := rules.ReadPrometheus("prometheus.yml")
//	cfg, err := file.Config(func(job, instance string) prometheus.Gatherer { return registries[job] })
//	mon := monitor.NewT(t, cfg)
package rules
