package scale

import (
	"errors"
	"fmt"
	"math"
)

var (
	errNoPods = errors.New("scale: no pods")
	errNone   = errors.New("scale: no metrics of pods that are ready")
)

// milli is a value in thousandths, rounded up, as Kubernetes' quantities are.
func milli(v float64) int64 { return int64(math.Ceil(v*1000 - 1e-6)) }

// A usage is what pods use of one metric, in thousandths.
type usage struct {
	metrics map[string]int64 // by pod
	ready   int
	unready []string
	missing []string
	request map[string]int64
}

// group sorts the pods by what is known of them.
func (h HPA) group(m Metric, s Status) (u usage, err error) {
	u.metrics, u.request = map[string]int64{}, map[string]int64{}
	for _, p := range s.Pods {
		if m.Utilization > 0 {
			request, ok := p.Requests[m.key()]
			if !ok || request <= 0 {
				return u, fmt.Errorf("scale: %s has no request for %s", p.Name, m.key())
			}
			u.request[p.Name] = milli(request)
		}
		sample, sampled := p.Samples[m.key()]
		switch {
		case p.Deleted || p.Phase == Failed:
		case p.Phase == Pending:
			u.unready = append(u.unready, p.Name)
		case !sampled:
			u.missing = append(u.missing, p.Name)
		case m.Kind.ofResource() && m.Name == CPU && h.young(p, sample, s):
			u.unready = append(u.unready, p.Name)
		default:
			u.ready++
			u.metrics[p.Name] = milli(sample.Value)
		}
	}
	if len(u.metrics) == 0 {
		return u, fmt.Errorf("%w: %s", errNone, m.key())
	}
	return u, nil
}

// young reports whether the cpu of a pod says nothing yet.
func (h HPA) young(p Pod, sample Sample, s Status) bool {
	if p.Started.IsZero() {
		return true
	}
	if p.Started.Add(h.CPUInit).After(s.Now) {
		return !p.Ready || sample.At.Before(p.Since.Add(sample.Window))
	}
	return !p.Ready && p.Started.Add(h.ReadinessDelay).After(p.Since)
}

// ratio is usage over target.
func (u usage) ratio(m Metric) (ratio float64, text string) {
	total, request := int64(0), int64(0)
	for name, v := range u.metrics {
		total += v
		request += u.request[name]
	}
	if m.Utilization > 0 {
		now := total * 100 / request
		return float64(now) / float64(m.Utilization), fmt.Sprintf("%s %d%% of %d%%", m.key(), now, m.Utilization)
	}
	mean := total / int64(len(u.metrics))
	return float64(mean) / float64(milli(m.AverageValue)), fmt.Sprintf("%s %g of %g", m.key(), float64(mean)/1000, m.AverageValue)
}

// within reports whether a ratio is near enough to 1 that nothing is to change.
func (h HPA) within(ratio float64) bool {
	return 1-h.Down.Tolerance <= ratio && ratio <= 1+h.Up.Tolerance
}

// perPod is what a metric of the pods asks for.
func (h HPA) perPod(m Metric, s Status) (desired int, ratio float64, text string, err error) {
	if len(s.Pods) == 0 {
		return 0, 0, "", errNoPods
	}
	u, err := h.group(m, s)
	if err != nil {
		return 0, 0, "", err
	}
	ratio, text = u.ratio(m)
	unready := len(u.unready) > 0 && ratio > 1
	if !unready && len(u.missing) == 0 {
		if h.within(ratio) {
			return s.Replicas, ratio, text, nil
		}
		return int(math.Ceil(ratio * float64(u.ready))), ratio, text, nil
	}
	u.assume(m, ratio, unready)
	again, _ := u.ratio(m)
	if h.within(again) || ratio < 1 && again > 1 || ratio > 1 && again < 1 {
		return s.Replicas, ratio, text, nil
	}
	desired = int(math.Ceil(again * float64(len(u.metrics))))
	if again < 1 && desired > s.Replicas || again > 1 && desired < s.Replicas {
		return s.Replicas, ratio, text, nil
	}
	return desired, ratio, text, nil
}

// assume fills in what is not known, against the change.
func (u *usage) assume(m Metric, ratio float64, unready bool) {
	for _, name := range u.missing {
		switch {
		case ratio < 1 && m.Utilization > 0:
			u.metrics[name] = u.request[name] * int64(max(100, m.Utilization)) / 100
		case ratio < 1:
			u.metrics[name] = milli(m.AverageValue)
		case ratio > 1 || m.Utilization == 0:
			u.metrics[name] = 0
		}
	}
	if unready {
		for _, name := range u.unready {
			u.metrics[name] = 0
		}
	}
}

// outside is what a metric that belongs to no pod asks for.
func (h HPA) outside(m Metric, s Status) (desired int, ratio float64, text string, err error) {
	value, ok := s.Values[m.Name]
	if !ok {
		return 0, 0, "", fmt.Errorf("scale: no value of %s", m.Name)
	}
	v := float64(milli(value))
	if m.AverageValue > 0 {
		target := float64(milli(m.AverageValue))
		pods := s.existing()
		ratio = v / (target * float64(pods))
		text = fmt.Sprintf("%s %g of %g for each", m.Name, value, m.AverageValue)
		if h.within(ratio) {
			return pods, ratio, text, nil
		}
		return int(math.Ceil(v / target)), ratio, text, nil
	}
	ratio = v / float64(milli(m.Value))
	text = fmt.Sprintf("%s %g of %g", m.Name, value, m.Value)
	if s.Replicas == 0 {
		return int(math.Ceil(ratio)), ratio, text, nil
	}
	if h.within(ratio) {
		return s.Replicas, ratio, text, nil
	}
	ready, err := s.ready()
	return int(math.Ceil(ratio * float64(ready))), ratio, text, err
}
