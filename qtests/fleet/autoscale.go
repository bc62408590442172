package fleet

import (
	"maps"
	"time"

	"github.com/go-qtests/qtests/qtests/fleet/scale"
	"github.com/go-qtests/qtests/qtests/internal/text"
)

// The metrics that every instance has. CPU needs a Capacity.CPU.
const (
	MetricCPU      = scale.CPU
	MetricRequests = "requests" // that came in per second
	MetricActive   = "active"   // that are under way
)

// rescale asks the scaler, and does what it says.
func (f *Fleet) rescale() {
	status, instances := f.status()
	status.Values = f.values()
	for n, i := range instances {
		for _, name := range text.SortedKeys(f.cfg.Scaling.PerInstance) {
			value := 0.0
			err := f.guard("the metric "+name, func() (err error) {
				value, err = f.cfg.Scaling.PerInstance[name](i)
				return err
			})
			if err == nil {
				status.Pods[n].Samples[name] = scale.Sample{Value: value, At: status.Now, Window: f.cfg.Scaling.By.Every()}
			}
		}
	}
	var d scale.Decision
	err := f.guard("the scaler", func() error {
		d = f.cfg.Scaling.By.Decide(status)
		return nil
	})
	if err != nil || d.Replicas < 0 || d.Replicas > MaxReplicas {
		return
	}
	if d.Err != nil {
		f.once("scaler: "+d.Err.Error(), func() { f.mark("the scaler misses a metric: %v", d.Err) })
	}
	f.change(func(s *state) {
		s.decision = d
		s.scale(d.Replicas, d.Ratio > 1+scale.DefaultTolerance, d.Reason)
	})
}

// values reads the metrics that belong to no instance. One that has an error is missing.
func (f *Fleet) values() map[string]float64 {
	values := map[string]float64{}
	for _, name := range text.SortedKeys(f.cfg.Scaling.Values) {
		value := 0.0
		err := f.guard("the metric "+name, func() (err error) {
			value, err = f.cfg.Scaling.Values[name]()
			return err
		})
		if err == nil {
			values[name] = value
		}
	}
	return values
}

// status is what a scaler knows, without the metrics of the user, and the instances in the order of the pods.
func (f *Fleet) status() (status scale.Status, instances []*Instance) {
	status.Now = f.clk.Now()
	f.read(func(s *state) {
		status.Replicas = s.wanted
		for _, i := range s.all {
			status.Pods = append(status.Pods, i.pod(status.Now))
			instances = append(instances, i)
		}
	})
	return status, instances
}

// pod is what Kubernetes shows of an instance.
func (i *Instance) pod(now time.Time) scale.Pod {
	p := scale.Pod{
		Name: i.name, Deleted: i.leaving, Started: i.created, Ready: i.ready, Since: i.since,
		Requests: map[string]float64{}, Samples: map[string]scale.Sample{},
	}
	if p.Since.IsZero() {
		p.Since = i.created
	}
	modelled := !i.release.Capacity.CPU.IsZero()
	maps.Copy(p.Requests, i.fleet.cfg.Scaling.Requests)
	own := scale.Of(i.release.Capacity.Container, MetricCPU)
	if modelled {
		p.Requests[MetricCPU], p.Requests[own] = i.release.Capacity.CPURequest, i.release.Capacity.CPURequest
	}
	x := sampled{at: now, cpu: i.process.cpu.Used(now), requests: i.process.requests}
	before := i.process.sampled
	i.process.sampled = x
	window := now.Sub(before.at)
	if before.at.IsZero() || window <= 0 || i.process.ended {
		return p // one reading is no rate yet
	}
	sample := func(value float64) scale.Sample { return scale.Sample{Value: value, At: now, Window: window} }
	if modelled {
		p.Samples[MetricCPU] = sample(float64(x.cpu-before.cpu) / float64(window))
		p.Samples[own] = p.Samples[MetricCPU]
	}
	p.Samples[MetricRequests] = sample(float64(x.requests-before.requests) / window.Seconds())
	p.Samples[MetricActive] = sample(float64(i.process.attempts.n))
	return p
}

// once does something the first time that it is asked to, by key, for a bounded number of keys.
func (f *Fleet) once(key string, do func()) {
	first := false
	f.read(func(s *state) {
		if s.said == nil {
			s.said = map[string]bool{}
		}
		first = !s.said[key] && len(s.said) < 1000
		s.said[key] = s.said[key] || first
	})
	if first {
		do()
	}
}

// ScalingSummary adds up how many replicas were wanted so far, and what changed.
func (f *Fleet) ScalingSummary() (sum scale.Summary, changes []scale.Change) {
	f.read(func(s *state) {
		sum, changes = s.record.Summary(f.clk.Now()), s.record.Changes()
	})
	return sum, changes
}

// LastDecision is what the Scaling decided last: why nothing changes, for example, or which metric is missing.
func (f *Fleet) LastDecision() (d scale.Decision) {
	f.read(func(s *state) { d = s.decision })
	return d
}
