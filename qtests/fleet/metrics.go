package fleet

import (
	"cmp"
	"slices"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

var _ prometheus.Collector = (*Fleet)(nil)

// metrics describes what one fleet exports.
type metrics struct{ requests, attempts, active, replicas, ready, cpu *prometheus.Desc }

func newMetrics(name string) metrics {
	fleet := prometheus.Labels{"fleet": name}
	instance := []string{"instance", "zone", "version"}
	return metrics{
		requests: prometheus.NewDesc("fleet_requests_total", "Requests of the clients by what became of them.", []string{"outcome"}, fleet),
		attempts: prometheus.NewDesc("fleet_attempts_total", "Attempts at an instance by what became of them.", append(instance, "outcome"), fleet),
		active:   prometheus.NewDesc("fleet_active", "Attempts under way at an instance.", instance, fleet),
		replicas: prometheus.NewDesc("fleet_replicas", "Replicas that are wanted.", nil, fleet),
		ready:    prometheus.NewDesc("fleet_ready", "Instances that are ready.", nil, fleet),
		cpu:      prometheus.NewDesc("fleet_cpu_seconds_total", "Processor time of the present process of an instance.", instance, fleet),
	}
}

// Describe implements prometheus.Collector.
func (f *Fleet) Describe(ch chan<- *prometheus.Desc) {
	d := newMetrics(f.cfg.Name)
	for _, x := range []*prometheus.Desc{d.requests, d.attempts, d.active, d.replicas, d.ready, d.cpu} {
		ch <- x
	}
}

// Collect implements prometheus.Collector, with fleet_requests_total{outcome}, fleet_attempts_total{instance,zone,version,outcome},
// fleet_active, fleet_replicas, fleet_ready and fleet_cpu_seconds_total, all with the label fleet. Instances that are gone are not among them.
func (f *Fleet) Collect(ch chan<- prometheus.Metric) {
	d, x := newMetrics(f.cfg.Name), f.Stats()
	wanted, ready := f.Replicas()
	counter := func(desc *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(desc, prometheus.CounterValue, v, labels...)
	}
	gauge := func(desc *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, v, labels...)
	}
	gauge(d.replicas, float64(wanted))
	gauge(d.ready, float64(ready))
	each := func(c Counts, count func(outcome string, n uint64)) {
		count("answered", c.Answered)
		count("refused", c.Refused)
		count("failed", c.Failed)
	}
	each(x.Requests, func(o string, n uint64) { counter(d.requests, float64(n), o) })
	for _, i := range x.Instances {
		if i.Phase == Stopped {
			continue
		}
		each(i.Attempts, func(o string, n uint64) { counter(d.attempts, float64(n), i.Name, i.Zone, i.Version, o) })
		gauge(d.active, float64(i.Attempts.InFlight), i.Name, i.Zone, i.Version)
		counter(d.cpu, i.CPU.Seconds(), i.Name, i.Zone, i.Version)
	}
}

// Gatherer gathers the registries of all processes that run, each metric with the labels instance, zone and version: a
// monitor has every instance as a target. The fleet itself is a prometheus.Collector.
func (f *Fleet) Gatherer() prometheus.Gatherer {
	return prometheus.GathererFunc(func() ([]*dto.MetricFamily, error) {
		var all prometheus.Gatherers
		f.read(func(s *state) {
			for _, i := range s.all {
				if !i.process.ended && !i.lost {
					all = append(all, i.process.labelled())
				}
			}
		})
		return all.Gather()
	})
}

// labelled gathers the registry of a process.
func (p *process) labelled() prometheus.Gatherer {
	i := p.inst
	names, values := []string{"instance", "zone", "version"}, []string{i.name, i.zone, i.release.Version}
	return prometheus.GathererFunc(func() ([]*dto.MetricFamily, error) {
		families, err := p.registry.Gather()
		for _, family := range families {
			for _, m := range family.Metric {
				for n := range names {
					m.Label = append(m.Label, &dto.LabelPair{Name: &names[n], Value: &values[n]})
				}
				slices.SortFunc(m.Label, func(a, b *dto.LabelPair) int { return cmp.Compare(a.GetName(), b.GetName()) })
			}
		}
		return families, err
	})
}
